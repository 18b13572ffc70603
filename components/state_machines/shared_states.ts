import type { Catcher, DistributedMapState, Retrier, State, TaskState } from './asl.ts';

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

export interface DistributedMapSettings {
  /** Its own name, which its child executions are known by. */
  readonly label: string;
  /** The bucket of the execution's files. */
  readonly bucket: string;
  /** Where an execution of this name has its files. */
  readonly files: {
    /** The list of items, JSON lines. */
    readonly manifest: (executionName: string) => string;
    /** The folder of the results. */
    readonly results: (executionName: string) => string;
  };
  /** What a child execution begins with. */
  readonly itemSelector: DistributedMapState['ItemSelector'];
  /** Items at a time. */
  readonly maxConcurrency: number;
  readonly childExecutionType: 'STANDARD' | 'EXPRESS';
  readonly processor: Pick<DistributedMapState['ItemProcessor'], 'StartAt' | 'States'>;
}

/**
 * A Map over a list in S3, which goes on with where its results are at `$.results.location`, and after a failure of its own to
 * RunFailed. The name of the execution must be in its input.
 *
 * It is distributed whatever the number of items: an inline one would end at 256 KiB of results and
 * 25,000 events of history. It tolerates every failure: CheckFailures judges once, at the end.
 */
export function distributedMap(
  settings: DistributedMapSettings,
): Omit<Extract<DistributedMapState, { Next: string }>, 'Next'> {
  const { label, bucket, files, processor } = settings;
  return {
    Type: 'Map',
    Label: label,
    ItemReader: {
      Resource: 'arn:aws:states:::s3:getObject',
      ReaderConfig: { InputType: 'JSONL' },
      Parameters: { Bucket: bucket, 'Key.$': executionFile(files.manifest) },
    },
    ItemSelector: settings.itemSelector,
    MaxConcurrency: settings.maxConcurrency,
    ToleratedFailurePercentage: 100,
    ItemProcessor: {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: settings.childExecutionType },
      ...processor,
    },
    ResultWriter: {
      Resource: 'arn:aws:states:::s3:putObject',
      Parameters: { Bucket: bucket, 'Prefix.$': executionFile(files.results) },
      WriterConfig: { Transformation: 'COMPACT', OutputType: 'JSONL' },
    },
    ResultSelector: { 'location.$': '$.ResultWriterDetails' },
    ResultPath: '$.results',
    Catch: catchAll('RunFailed'),
  };
}

/** A path with the execution's name in it, as an intrinsic function; the first task has put the name into the state. */
function executionFile(path: (executionName: string) => string): string {
  return `States.Format('${path('{}')}', $.execution_name)`;
}

/** The execution's input, and beside it the execution's name, which its files are called by. */
export const EXECUTION_INPUT = {
  'Payload.$': 'States.JsonMerge($, $$.Execution, false)',
} as const;

/**
 * How every workflow ends: CheckFailures judges a summary with `failed_percentage`, which is the execution's output, or the
 * cause of its failure.
 *
 * @param toleratedFailurePercentage the execution fails when more than these percent failed.
 */
export function runOutcome(toleratedFailurePercentage: number): Readonly<Record<string, State>> {
  return {
    CheckFailures: {
      Type: 'Choice',
      Choices: [
        {
          Variable: '$.failed_percentage',
          NumericGreaterThan: toleratedFailurePercentage,
          Next: 'TooManyFailed',
        },
      ],
      Default: 'RunSucceeded',
    },
    RunSucceeded: { Type: 'Succeed' },
    TooManyFailed: {
      Type: 'Fail',
      Error: 'TooManyFailed',
      CausePath: 'States.JsonToString($)',
    },
    RunFailed: { Type: 'Fail', ErrorPath: '$.failure.Error', CausePath: '$.failure.Cause' },
  };
}

const DAY = 24 * 60 * 60;

/**
 * How long an execution may take, seconds: several times what the largest takes, so that one that hangs ends (and an alarm
 * says so) before it has cost much.
 */
export const RUN_TIMEOUT = {
  /** A million receipts at ten a time, some three seconds each, take three and a half days. */
  realtime: 7 * DAY,
  /** A hundred batches at five a time, each for Lambda's 15 minutes at most, take five hours. */
  batchSubmit: DAY,
  /** 250 batches at five a time, some 15 minutes each, take half a day. */
  batchPoll: DAY,
} as const;
