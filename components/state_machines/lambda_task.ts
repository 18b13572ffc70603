import {
  type Catcher,
  integration,
  type Retrier,
  type State,
  type TaskState,
  type Unlinked,
} from './asl.ts';

/** Lambda's longest run of 15 minutes, and half a minute for the way there and back. */
const TASK_TIMEOUT = 930;

/**
 * The Lambda service's own errors: what AWS's Step Functions guide recommends to retry, and throttling, which
 * its list leaves out. They say nothing about the function, which did not run to its end.
 */
const SERVICE_ERRORS: Retrier = {
  ErrorEquals: [
    'Lambda.ClientExecutionTimeoutException',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.TooManyRequestsException',
  ],
  IntervalSeconds: 2,
  MaxAttempts: 6,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
  JitterStrategy: 'FULL',
};

/** The layer's errors that waiting cures (docs/architecture.md); the waiting costs nothing here. */
const UPSTREAM_ERRORS: Retrier = {
  ErrorEquals: ['RateLimited', 'UpstreamUnavailable'],
  IntervalSeconds: 5,
  MaxAttempts: 5,
  BackoffRate: 2,
  MaxDelaySeconds: 120,
  JitterStrategy: 'FULL',
};

/** Step Functions throttles its own API: retried as Lambda's own errors are. */
export const SDK_ERRORS: Retrier = {
  ...SERVICE_ERRORS,
  ErrorEquals: ['Sfn.SfnException', 'Sfn.ThrottlingException', 'Sfn.SdkClientException'],
};

/**
 * What takes longer than it may. Every step may be repeated; twice more, since it takes a quarter of an hour each time. A function's
 * own end is `Sandbox.Timedout`, the task's is `States.Timeout`.
 */
const TIMEOUTS: Retrier = {
  ErrorEquals: ['Sandbox.Timedout', 'States.Timeout'],
  IntervalSeconds: 10,
  MaxAttempts: 2,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
  JitterStrategy: 'FULL',
};

/** What an execution was started with, and beside it the execution's name, which its files are called by, and its ARN, which is it. */
export const EXECUTION_INPUT = {
  Payload: {
    'input.$': '$$.Execution.Input',
    'execution_name.$': '$$.Execution.Name',
    'execution_id.$': '$$.Execution.Id',
  },
} as const;

/** The state's whole input. */
export const WHOLE_STATE = { 'Payload.$': '$' } as const;

type Payload =
  { readonly 'Payload.$': string } | { readonly Payload: Readonly<Record<string, string>> };

/** How a task's answer goes on. The service wraps a function's own result in `Payload`. */
type TaskResult = Pick<TaskState, 'ResultSelector' | 'ResultPath' | 'OutputPath'>;

/**
 * A task that invokes a Lambda function.
 *
 * @param payload `{'Payload.$': path or intrinsic}` or `{Payload: template}`.
 * @param catchers where it goes on after a failure.
 * @param result by default the function's own result alone.
 * @param retriers beside those of every task.
 */
export function lambdaTask(
  functionArn: string,
  payload: Payload,
  catchers: readonly Catcher[],
  result: TaskResult = { OutputPath: '$.Payload' },
  retriers: readonly Retrier[] = [],
): Unlinked<TaskState> {
  return {
    Type: 'Task',
    Resource: integration('lambda:invoke'),
    Parameters: { FunctionName: functionArn, ...payload },
    ...result,
    TimeoutSeconds: TASK_TIMEOUT,
    Retry: [SERVICE_ERRORS, UPSTREAM_ERRORS, TIMEOUTS, ...retriers],
    Catch: catchers,
  };
}

/**
 * Whatever the retries leave. It stands alone and last, as the language demands.
 *
 * @param resultPath where the error is put, beside the state's input.
 */
export function catchAll(next: string, resultPath = '$.failure'): readonly Catcher[] {
  return [{ ErrorEquals: ['States.ALL'], Next: next, ResultPath: resultPath }];
}

/**
 * The end of a block after a failure that was caught at `$.failure`. Its error is the state's own name, since a Fail state may
 * not throw the reserved names (`States.Timeout`) that may have been caught; its cause is the original `{Error, Cause}` as JSON.
 * A cause holds 32 KiB; those of our functions are a few KiB (docs/troubleshooting.md).
 */
export function failWith(name: string): State {
  return { Type: 'Fail', Error: name, CausePath: 'States.JsonToString($.failure)' };
}

/** A field of each key, taken from the state's field of this name. */
export function fields(...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [`${name}.$`, `$.${name}`]));
}
