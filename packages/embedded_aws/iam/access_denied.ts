import type { Call, Caller } from './call.ts';
import type { Decision } from './evaluation.ts';

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
