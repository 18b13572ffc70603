import type { RegisteredResource } from '../deployment/pulumi_program.ts';
import { type Call, decide, type Decision } from './policy_document.ts';
import { checkRoleUses, type Role, rolesOf } from './roles.ts';

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

/** Who asks: a service that has assumed a role. */
export interface Caller {
  readonly roleArn: string;
  /** The session's name, which is all that AWS's messages say beside the role. */
  readonly session: string;
}

/** A call that was made, by whom, and how often. */
export interface RecordedCall extends Call {
  readonly role: string;
  readonly count: number;
}

/** Distinct calls that are kept: a run over a million entries writes as many objects, each under a key of its own. */
const MOST = 20_000;

/** The distinct calls that roles have made, those that were denied included. */
class CallRecord {
  readonly #calls = new Map<string, { -readonly [Key in keyof RecordedCall]: RecordedCall[Key] }>();
  #left = 0;

  add(role: string, call: Call): void {
    const key = JSON.stringify([role, call.action, call.resource, call.context]);
    const known = this.#calls.get(key);
    if (known !== undefined) known.count++;
    else if (this.#calls.size < MOST) this.#calls.set(key, { ...call, role, count: 1 });
    else this.#left++;
  }

  get calls(): readonly RecordedCall[] {
    return [...this.#calls.values()];
  }

  /** How many calls are not kept, because there were too many distinct ones. */
  get left(): number {
    return this.#left;
  }
}

/** Thrown for a call that a role does not allow, with AWS's message. */
export class AccessDenied extends Error {
  override readonly name = 'AccessDenied';

  constructor(caller: Caller, { action, resource }: Call, decision: Exclude<Decision, 'allowed'>) {
    const why =
      decision === 'denied'
        ? 'with an explicit deny in an identity-based policy'
        : `because no identity-based policy allows the ${action} action`;
    super(
      `User: ${sessionArn(caller)} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
    );
  }
}

/** `arn:aws:iam::…:role/worker` in the session `work` is `arn:aws:sts::…:assumed-role/worker/work`. */
function sessionArn({ roleArn, session }: Caller): string {
  const assumed = roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/');
  return `${assumed}/${session}`;
}
