import type { Iam } from '../iam/iam.ts';
import { RequestGuard } from '../iam/request_guard.ts';
import type { Home } from '../iam/requests/request_calls.ts';
import type { LambdaStandIn } from '../lambda/lambda_stand_in.ts';
import type { Guard } from './aws_edge.ts';

/** Functions may do what their roles allow, and nothing else. */
export function guardFunctions(iam: Iam, lambda: LambdaStandIn, home: Home): Guard {
  const guard = new RequestGuard(iam, home);
  return async (accessKeyId, aws, request, service) => {
    // A key whose environment is gone is nobody's any more: nothing is allowed to it.
    const { roleArn = '', functionName: session = '' } = lambda.callerOf(accessKeyId) ?? {};
    return await guard.perform({ roleArn, session }, aws, request, service);
  };
}
