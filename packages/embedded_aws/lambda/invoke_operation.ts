import { notImplemented } from '../aws/faults.ts';
import type { ServiceRequest, ServiceResponse } from '../http/service.ts';
import { checkPayload, type LambdaStandIn, RequestTooLarge } from './lambda_stand_in.ts';

const INVOKE = /^\/2015-03-31\/functions\/(?<name>[^/]+)\/invocations$/;

/** Lambda's HTTP API: Invoke, with its three invocation types. */
export async function answerInvoke(
  lambda: LambdaStandIn,
  request: ServiceRequest,
): Promise<ServiceResponse> {
  const name = INVOKE.exec(request.path)?.groups?.['name'];
  if (name === undefined || request.method !== 'POST') {
    return notImplemented('lambda', operationName(request));
  }
  const wanted = decodeURIComponent(name);
  const configuration = lambda.find(wanted);
  if (configuration === undefined) {
    return failure(404, 'ResourceNotFoundException', `Function not found: ${wanted}`);
  }
  const event = request.body.length === 0 ? '{}' : request.body.toString();
  if (!isJson(event)) {
    return failure(
      400,
      'InvalidRequestContentException',
      'Could not parse request body into json: the payload is not valid JSON',
    );
  }
  const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
  if (type === 'DryRun') return { status: 204 };
  try {
    checkPayload(event);
    const running = lambda.invoke(configuration, event);
    if (type === 'Event') {
      // Its outcome is in the log alone, as on AWS; nobody waits for it here either.
      running.catch(() => undefined);
      return { status: 202 };
    }
    const { payload, error, logTail } = await running;
    return {
      status: 200,
      headers: {
        'content-type': 'application/json',
        'x-amz-executed-version': '$LATEST',
        ...(error === undefined ? {} : { 'x-amz-function-error': 'Unhandled' }),
        ...(request.headers['x-amz-log-type'] === 'Tail'
          ? { 'x-amz-log-result': Buffer.from(logTail).toString('base64') }
          : {}),
      },
      body: payload ?? JSON.stringify(error),
    };
  } catch (error) {
    if (error instanceof RequestTooLarge) {
      return failure(413, error.name, error.message);
    }
    throw error;
  }
}

/** What AWS calls the requests that a reader of the API would try first. */
function operationName({ method, path }: ServiceRequest): string {
  const [, , , name = ''] = path.split('/');
  if (method === 'GET') return name === '' ? 'ListFunctions' : 'GetFunction';
  return `${method} ${path}`;
}

function failure(status: number, type: string, message: string): ServiceResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': type },
    body: JSON.stringify({ Type: status < 500 ? 'User' : 'Service', Message: message }),
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
