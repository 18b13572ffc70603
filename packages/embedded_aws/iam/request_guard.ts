import type { AwsRequest } from '../aws/aws_request.ts';
import type { Service, ServiceRequest, ServiceResponse } from '../http/service.ts';
import { AccessDenied } from './access_denied.ts';
import type { Call, Caller } from './call.ts';
import { denialResponse } from './denial_response.ts';
import type { Iam } from './iam.ts';
import { type Home, requestCalls } from './requests/request_calls.ts';
import { callToLearnOfAbsence } from './requests/s3_calls.ts';

/** Stands before the services: whoever asks under a role gets what that role allows. */
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
      return denialResponse(aws.service, error.message);
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

  /** As S3 does, nobody who may not list a bucket is told that an object is not in it. */
  async #hidden(
    caller: Caller,
    request: ServiceRequest,
    service: Service,
  ): Promise<ServiceResponse | undefined> {
    const call = callToLearnOfAbsence(request);
    const decision = call === undefined ? 'allowed' : this.#iam.decide(caller, call);
    if (call === undefined || decision === 'allowed') return undefined;
    const [, bucket = ''] = request.path.split('/');
    const { status } = await service({
      ...request,
      method: 'HEAD',
      path: `/${bucket}`,
      query: new URLSearchParams(),
    });
    // That a bucket is not there is no secret.
    if (status === 404) return undefined;
    const { message } = new AccessDenied(caller, call, decision);
    return denialResponse('s3', message);
  }
}
