import { notImplemented } from '../aws/faults.ts';
import { JsonTooDeep, parseJson } from '../http/json_text.ts';
import type { ServiceRequest, ServiceResponse } from '../http/service.ts';
import {
  checkPayload,
  type FunctionConfiguration,
  type LambdaStandIn,
  RequestTooLarge,
} from './lambda_stand_in.ts';

const FUNCTION_PATH =
  /^\/2015-03-31\/functions\/(?<name>[^/]+)\/(?<what>invocations|configuration)$/;

const METHODS: Readonly<Record<string, string>> = { invocations: 'POST', configuration: 'GET' };

/** Lambda's HTTP API: Invoke, with its three invocation types, and GetFunctionConfiguration. */
export async function answerLambda(
  lambda: LambdaStandIn,
  request: ServiceRequest,
): Promise<ServiceResponse> {
  const { name, what = '' } = FUNCTION_PATH.exec(request.path)?.groups ?? {};
  if (name === undefined || request.method !== METHODS[what]) {
    return notImplemented('lambda', operationName(request));
  }
  const wanted = decoded(name);
  const configuration = lambda.find(wanted);
  if (configuration === undefined) {
    return failure(404, 'ResourceNotFoundException', `Function not found: ${wanted}`);
  }
  return what === 'configuration'
    ? described(configuration)
    : await invoked(lambda, configuration, request);
}

function described(configuration: FunctionConfiguration): ServiceResponse {
  const { functionName, functionArn, roleArn, memorySize, timeout, environment } = configuration;
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      FunctionName: functionName,
      FunctionArn: functionArn,
      Role: roleArn,
      MemorySize: memorySize,
      Timeout: timeout,
      Environment: { Variables: environment },
      State: 'Active',
      Version: '$LATEST',
    }),
  };
}

async function invoked(
  lambda: LambdaStandIn,
  configuration: FunctionConfiguration,
  request: ServiceRequest,
): Promise<ServiceResponse> {
  const event = request.body.length === 0 ? '{}' : request.body.toString();
  const problem = jsonProblem(event);
  if (problem !== undefined) {
    return failure(
      400,
      'InvalidRequestContentException',
      `Could not parse request body into json: ${problem}`,
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

/** A name that can't be decoded is no function's. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
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

/** @returns undefined for JSON that a function can be given. */
function jsonProblem(text: string): string | undefined {
  try {
    parseJson(text);
    return undefined;
  } catch (error) {
    return error instanceof JsonTooDeep ? error.message : 'the payload is not valid JSON';
  }
}
