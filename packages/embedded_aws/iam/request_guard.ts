import { awsError } from '../aws/faults.ts';
import type { AwsRequest, AwsService, Guard } from '../aws/aws_edge.ts';
import type { Service, ServiceRequest, ServiceResponse } from '../http/service.ts';
import type { LambdaStandIn } from '../lambda/lambda_stand_in.ts';
import { AccessDenied, type Caller, type Iam } from './iam.ts';
import type { Call } from './policy_document.ts';
import { callToLearnOfAbsence, type Home, requestCalls } from './request_calls.ts';

/** Functions may do what their roles allow, and nothing else. */
export function guardFunctions(iam: Iam, lambda: LambdaStandIn, home: Home): Guard {
  const guard = new RequestGuard(iam, home);
  return async (accessKeyId, aws, request, service) => {
    // A key whose environment is gone is nobody's any more: nothing is allowed to it.
    const { roleArn = '', functionName: session = '' } = lambda.callerOf(accessKeyId) ?? {};
    return await guard.perform({ roleArn, session }, aws, request, service);
  };
}

/** Stands before the services: a caller under a role gets what that role allows. */
export class RequestGuard {
  readonly #iam: Iam;
  readonly #home: Home;

  constructor(iam: Iam, home: Home) {
    this.#iam = iam;
    this.#home = home;
  }

  async perform(
    caller: Caller,
    aws: AwsRequest,
    request: ServiceRequest,
    service: Service,
  ): Promise<ServiceResponse> {
    try {
      for (const call of this.#callsOf(aws, request)) this.#iam.require(caller, call);
    } catch (error) {
      if (!(error instanceof AccessDenied)) throw error;
      return denial(aws.service, error.message);
    }
    const response = await service(request);
    if (aws.service !== 's3' || response.status !== 404) return response;
    return (await this.#hidden(caller, request, service)) ?? response;
  }

  /** A request that can't be read asks for nothing: its service says so. */
  #callsOf(aws: AwsRequest, request: ServiceRequest): Call[] {
    try {
      return requestCalls(aws, request, this.#home);
    } catch {
      return [];
    }
  }

  /** As S3 does, a caller that may not list a bucket is not told that an object does not exist. */
  async #hidden(
    caller: Caller,
    request: ServiceRequest,
    service: Service,
  ): Promise<ServiceResponse | undefined> {
    const call = callToLearnOfAbsence(request);
    const decision = call === undefined ? 'allowed' : this.#iam.decide(caller, call);
    if (call === undefined || decision === 'allowed') return undefined;
    // That a bucket does not exist is no secret. The answer to a HEAD has no body that would say it.
    const { body } = await service({ ...request, method: 'GET' });
    if (typeof body === 'string' && body.includes('<Code>NoSuchBucket</Code>')) return undefined;
    return denial('s3', new AccessDenied(caller, call, decision).message);
  }
}

/** Most services answer 400 to what a role does not allow, by their API references. */
const DENIAL_STATUS: Readonly<Record<AwsService, number>> = {
  dynamodb: 400,
  lambda: 403,
  logs: 400,
  s3: 403,
  s3vectors: 403,
  secretsmanager: 400,
  sqs: 403,
  states: 400,
};

function denial(service: AwsService, message: string): ServiceResponse {
  const code = service === 's3' ? 'AccessDenied' : 'AccessDeniedException';
  // SQS writes its actions in small letters there.
  const said =
    service === 'sqs'
      ? message.replace(/sqs:[A-Z]\w+/g, (action) => action.toLowerCase())
      : message;
  return awsError(service, DENIAL_STATUS[service], code, said);
}
