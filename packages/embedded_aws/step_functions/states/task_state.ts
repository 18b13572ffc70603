import { lambdaInvokeResource } from '../arns.ts';
import { isJsonObject, type JsonValue } from '../data/json_value.ts';
import { requirePayloadLimit } from '../data/payload_text.ts';
import type { TaskState } from '../definition/definition.ts';
import type { Attempt, Frame } from '../execution/frame.ts';
import { StateError } from '../execution/state_error.ts';

/** How the history tells of a task: AWS has one family of events for a function's ARN, another for integrations. */
interface TaskEvents {
  readonly scheduled: () => void;
  readonly started: string;
  readonly succeeded: (output: string) => void;
  readonly failed: string;
  readonly timedOut: string;
  readonly identity: Readonly<Record<string, string>>;
}

/**
 * Invokes the Lambda function of a Task and waits for its answer.
 *
 * @throws StateError: `errorType` and the JSON text of the payload when the function fails; the service's own
 *   error (`Lambda.TooManyRequestsException`, …) when it could not be run.
 */
export async function runTask(
  state: TaskState,
  input: JsonValue,
  frame: Frame,
  attempt: Attempt,
): Promise<JsonValue> {
  const isIntegration = state.Resource === lambdaInvokeResource;
  const call = isIntegration ? invocationOf(input, frame) : { arn: state.Resource, payload: input };
  const events = isIntegration
    ? integrationEvents(state, input, frame)
    : functionEvents(state, input, frame);
  events.scheduled();
  frame.record(events.started, isIntegration ? events.identity : undefined);
  attempt.onTimeout = () => {
    frame.record(events.timedOut, { ...events.identity, error: 'States.Timeout' });
  };
  try {
    const payload = await invoke(call.arn, call.payload, frame, attempt.signal);
    const result = isIntegration
      ? { ExecutedVersion: '$LATEST', Payload: payload, StatusCode: 200 }
      : payload;
    const text = frame.runtime.texts.of(result);
    requirePayloadLimit(text, isIntegration ? state.Resource : call.arn, state);
    events.succeeded(text);
    return result;
  } catch (error) {
    if (!attempt.signal.aborted && error instanceof StateError) {
      frame.record(events.failed, {
        ...events.identity,
        error: error.name,
        cause: error.hasCause ? error.message : undefined,
      });
    }
    throw error;
  }
}

function invocationOf(parameters: JsonValue, frame: Frame): { arn: string; payload: JsonValue } {
  const name = isJsonObject(parameters) ? parameters['FunctionName'] : undefined;
  if (!isJsonObject(parameters) || typeof name !== 'string') {
    throw new StateError(
      'States.Runtime',
      'The FunctionName of a lambda:invoke task must be a string',
    );
  }
  return { arn: frame.runtime.arns.lambdaFunction(name), payload: parameters['Payload'] ?? {} };
}

async function invoke(
  arn: string,
  payload: JsonValue,
  frame: Frame,
  signal: AbortSignal,
): Promise<JsonValue> {
  const answer = await invokeFunction(arn, payload, frame, signal);
  if (signal.aborted) throw new StateError('States.Runtime', 'The task is no longer waited for.');
  // A function that returns nothing answers null; what it returns is its own copy.
  const text = JSON.stringify(answer.payload ?? null);
  if (answer.functionError === undefined) return JSON.parse(text) as JsonValue;
  throw new StateError(errorTypeOf(answer.payload), text);
}

async function invokeFunction(
  arn: string,
  payload: JsonValue,
  frame: Frame,
  signal: AbortSignal,
): ReturnType<Frame['runtime']['ports']['invokeLambda']> {
  try {
    frame.authorize('lambda:InvokeFunction', arn);
  } catch (error) {
    const { message } = error as Error;
    throw new StateError(
      'Lambda.AWSLambdaException',
      `${message} (Service: Lambda, Status Code: 403)`,
    );
  }
  try {
    return await frame.runtime.ports.invokeLambda(arn, payload, signal);
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    // Step Functions puts the service's name before its errors; an error without a name of its own never
    // reached the service.
    throw new StateError(
      name === 'Error' ? 'Lambda.Unknown' : name.includes('.') ? name : `Lambda.${name}`,
      message,
    );
  }
}

function errorTypeOf(payload: unknown): string {
  const type: unknown =
    typeof payload === 'object' && payload !== null && 'errorType' in payload
      ? payload.errorType
      : undefined;
  return typeof type === 'string' && type !== '' ? type : 'Lambda.Unknown';
}

function functionEvents(state: TaskState, input: JsonValue, frame: Frame): TaskEvents {
  return {
    scheduled: () => {
      frame.record('LambdaFunctionScheduled', {
        resource: state.Resource,
        input: frame.runtime.texts.of(input),
        timeoutInSeconds: state.TimeoutSeconds,
      });
    },
    started: 'LambdaFunctionStarted',
    succeeded: (output) => {
      frame.record('LambdaFunctionSucceeded', { output });
    },
    failed: 'LambdaFunctionFailed',
    timedOut: 'LambdaFunctionTimedOut',
    identity: {},
  };
}

function integrationEvents(state: TaskState, parameters: JsonValue, frame: Frame): TaskEvents {
  const identity = { resourceType: 'lambda', resource: 'invoke' };
  return {
    scheduled: () => {
      frame.record('TaskScheduled', {
        ...identity,
        region: frame.runtime.arns.region,
        parameters: frame.runtime.texts.of(parameters),
        timeoutInSeconds: state.TimeoutSeconds,
      });
    },
    started: 'TaskStarted',
    succeeded: (output) => {
      frame.record('TaskSucceeded', { ...identity, output });
    },
    failed: 'TaskFailed',
    timedOut: 'TaskTimedOut',
    identity,
  };
}
