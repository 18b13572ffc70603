import { isJsonObject, type JsonValue, requirePayloadLimit } from '../data/json_value.ts';
import type { TaskState } from '../definition/definition.ts';
import type { InvocationAnswer } from '../ports.ts';
import { asStateError, StateError } from '../state_error.ts';
import type { Frame } from './frame.ts';

/** What each event of a task says of what it calls. */
const INTEGRATIONS = {
  'arn:aws:states:::lambda:invoke': { resourceType: 'lambda', resource: 'invoke' },
  'arn:aws:states:::aws-sdk:sfn:listMapRuns': {
    resourceType: 'aws-sdk:sfn',
    resource: 'listMapRuns',
  },
} as const;

/**
 * Calls what a Task names and waits for its answer, as long as the state's TimeoutSeconds say.
 *
 * @param parameters of Lambda `{FunctionName, Payload?}`, of ListMapRuns `{ExecutionArn}`
 * @returns of Lambda `{ExecutedVersion, Payload, StatusCode}`, of ListMapRuns `{MapRuns}`
 * @throws StateError: `errorType` and the JSON text of the payload when the function fails; the service's own error
 *   (`Lambda.TooManyRequestsException`, …) when it could not be run; States.Timeout without a cause.
 */
export async function runTask(
  state: TaskState,
  parameters: JsonValue,
  frame: Frame,
): Promise<JsonValue> {
  const { ports, texts } = frame.runtime;
  const integration = INTEGRATIONS[state.Resource];
  const call =
    state.Resource === 'arn:aws:states:::lambda:invoke'
      ? invocation(parameters, frame)
      : mapRunsListing(parameters, frame);
  frame.record('TaskScheduled', {
    ...integration,
    region: ports.region,
    parameters: texts.of(parameters),
    timeoutInSeconds: state.TimeoutSeconds,
  });
  frame.record('TaskStarted', integration);
  try {
    const result = await withTimeout(state.TimeoutSeconds, frame, call);
    const output = texts.of(result);
    requirePayloadLimit(output, state.Resource);
    frame.record('TaskSucceeded', { ...integration, output });
    return result;
  } catch (error) {
    frame.signal.throwIfAborted();
    const { name: type, message } = asStateError(error);
    frame.record(error instanceof TaskTimedOut ? 'TaskTimedOut' : 'TaskFailed', {
      ...integration,
      error: type,
      cause: message || undefined,
    });
    throw error;
  }
}

/** The end of a task that took longer than its TimeoutSeconds: AWS gives no cause. */
class TaskTimedOut extends StateError {
  constructor() {
    super('States.Timeout', '');
  }
}

/** Waits for `work` until its time is over or the frame is aborted. @throws TaskTimedOut; the frame's reason to abort */
async function withTimeout<T>(
  seconds: number | undefined,
  { signal, runtime }: Frame,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const given = new AbortController();
  const timer = new AbortController();
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = (reason: unknown): void => {
    given.abort(reason);
    reject(reason);
  };
  const onAbort = (): void => {
    stop(signal.reason);
  };
  const onTimeout = (): void => {
    stop(new TaskTimedOut());
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (seconds !== undefined) {
    runtime.ports.wait(seconds * 1_000, timer.signal).then(onTimeout, () => undefined);
  }
  try {
    return await Promise.race([work(given.signal), stopped]);
  } finally {
    timer.abort();
    signal.removeEventListener('abort', onAbort);
  }
}

type Call = (signal: AbortSignal) => Promise<JsonValue>;

function invocation(parameters: JsonValue, frame: Frame): Call {
  const { region, accountId } = frame.runtime.ports;
  const { FunctionName: name, Payload: payload = {} } = isJsonObject(parameters) ? parameters : {};
  if (typeof name !== 'string') {
    throw new StateError('States.Runtime', 'The FunctionName of a task must be a string');
  }
  const functionArn = name.startsWith('arn:')
    ? name
    : `arn:aws:lambda:${region}:${accountId}:function:${name}`;
  return async (signal) => ({
    ExecutedVersion: '$LATEST',
    Payload: await invoke(functionArn, payload, frame, signal),
    StatusCode: 200,
  });
}

/** An SDK integration answers with the API's fields in Pascal case. */
function mapRunsListing(parameters: JsonValue, frame: Frame): Call {
  const { ExecutionArn: arn } = isJsonObject(parameters) ? parameters : {};
  if (typeof arn !== 'string') {
    throw new StateError('States.Runtime', 'The ExecutionArn of a task must be a string');
  }
  return async () => {
    try {
      frame.authorize('states:ListMapRuns', arn);
    } catch (error) {
      throw new StateError(
        'Sfn.SfnException',
        `${asError(error).message} (Service: Sfn, Status Code: 400)`,
      );
    }
    await Promise.resolve();
    return {
      MapRuns: frame.runtime.mapRunsOf(arn).map(({ start, stopDate }) => ({
        ExecutionArn: arn,
        MapRunArn: start.arn,
        StateMachineArn: start.parent.machine.arn,
        StartDate: start.startDate.toISOString(),
        ...(stopDate === undefined ? {} : { StopDate: stopDate.toISOString() }),
      })),
    };
  };
}

async function invoke(
  functionArn: string,
  payload: JsonValue,
  frame: Frame,
  signal: AbortSignal,
): Promise<JsonValue> {
  const answer = await answerOf(functionArn, payload, frame, signal);
  // A function that returns nothing answers null; what it returns is its own copy.
  const text = JSON.stringify(answer.payload ?? null);
  const result = JSON.parse(text) as JsonValue;
  if (answer.functionError === undefined) return result;
  const type = isJsonObject(result) ? result['errorType'] : undefined;
  throw new StateError(typeof type === 'string' && type !== '' ? type : 'Lambda.Unknown', text);
}

async function answerOf(
  functionArn: string,
  payload: JsonValue,
  frame: Frame,
  signal: AbortSignal,
): Promise<InvocationAnswer> {
  try {
    frame.authorize('lambda:InvokeFunction', functionArn);
  } catch (error) {
    throw new StateError(
      'Lambda.AWSLambdaException',
      `${asError(error).message} (Service: Lambda, Status Code: 403)`,
    );
  }
  try {
    return await frame.runtime.ports.invokeLambda(functionArn, payload, signal);
  } catch (error) {
    const { name, message } = asError(error);
    // Step Functions puts the service's name before its errors; an error without a name of its own never
    // reached the service.
    const type = name === 'Error' ? 'Unknown' : name.replace(/^Lambda\./, '');
    throw new StateError(`Lambda.${type}`, message);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
