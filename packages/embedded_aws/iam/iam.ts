import type { RegisteredResource } from '../deployment/pulumi_program.ts';
import { AccessDenied } from './access_denied.ts';
import type { Call, Caller } from './call.ts';
import { CallRecord } from './call_record.ts';
import { decide, type Decision } from './evaluation.ts';
import { type Role, rolesOf } from './roles.ts';
import { checkRoleUses } from './service_roles.ts';

/**
 * IAM: the roles of the program, and what was asked under each. What counts is who may assume a role and its inline
 * policies; policies of buckets, topics and queues are not judged.
 */
export class Iam {
  readonly record = new CallRecord();
  readonly #accountId: string;
  #roles: ReadonlyMap<string, Role> = new Map();

  constructor(accountId: string) {
    this.#accountId = accountId;
  }

  /**
   * Takes the roles over that the program has registered.
   *
   * @throws UnknownPolicyElement for what can't be judged; Error for a role that its service may not assume.
   */
  deploy(resources: readonly RegisteredResource[]): void {
    const roles = rolesOf(resources);
    checkRoleUses(resources, roles, this.#accountId);
    this.#roles = roles;
  }

  get roles(): readonly Role[] {
    return [...this.#roles.values()];
  }

  /**
   * Records a call, and asks whether it may be made. A role that is not there allows nothing.
   *
   * @throws AccessDenied
   */
  require(caller: Caller, call: Call): void {
    const role = this.#roles.get(caller.roleArn);
    this.record.add(role?.name ?? caller.roleArn, call);
    const decision = this.decide(caller, call);
    if (decision !== 'allowed') throw new AccessDenied(caller, call, decision);
  }

  /** What is to be said to a call that nobody makes. */
  decide({ roleArn }: Caller, call: Call): Decision {
    return decide(this.#roles.get(roleArn)?.statements ?? [], call);
  }
}
