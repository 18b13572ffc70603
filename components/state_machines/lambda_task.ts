import type { Catcher, Retrier, TaskState } from './asl.ts';

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

/** The layer's errors that waiting mends (docs/architecture.md); the waiting costs nothing here. */
const UPSTREAM_ERRORS: Retrier = {
  ErrorEquals: ['RateLimited', 'UpstreamUnavailable'],
  IntervalSeconds: 5,
  MaxAttempts: 5,
  BackoffRate: 2,
  MaxDelaySeconds: 120,
  JitterStrategy: 'FULL',
};

/** A function's own 15 minutes, and half a minute for the way there and back. */
const TIMEOUT_SECONDS = 930;

/** How a task's answer goes on. The service wraps a function's own result in `Payload`. */
type TaskResult = Pick<TaskState, 'ResultSelector' | 'ResultPath' | 'OutputPath'>;

const FUNCTION_RESULT: TaskResult = { OutputPath: '$.Payload' };

/**
 * Whatever the retries leave. It stands alone and last, as the language demands.
 *
 * @param resultPath where the error is put, beside the state's input.
 */
export function catchAll(next: string, resultPath = '$.failure'): readonly Catcher[] {
  return [{ ErrorEquals: ['States.ALL'], Next: next, ResultPath: resultPath }];
}

/**
 * A task that invokes a Lambda function.
 *
 * @param payload `{'Payload.$': path or intrinsic}` or `{Payload: template}`.
 * @param catchers where it goes on after a failure.
 * @param result by default the function's own result alone.
 */
export function lambdaTask(
  functionArn: string,
  payload:
    { readonly 'Payload.$': string } | { readonly Payload: Readonly<Record<string, string>> },
  catchers: readonly Catcher[],
  result: TaskResult = FUNCTION_RESULT,
): Omit<Extract<TaskState, { End: true }>, 'End'> {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: functionArn, ...payload },
    ...result,
    TimeoutSeconds: TIMEOUT_SECONDS,
    Retry: [SERVICE_ERRORS, UPSTREAM_ERRORS],
    Catch: catchers,
  };
}
