import type { declareFunction, StoreName } from '../../simple_lambdas/runtime/declaration.ts';
import { declaration as summarizeExecution } from '../../simple_lambdas/summarize_execution/declaration.ts';
import { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import {
  type Catcher,
  type DistributedMapState,
  integration,
  type ListMapRunsState,
  type PassState,
  type Retrier,
  type State,
  type StateMachineDefinition,
  type TaskState,
} from './asl.ts';

/** A function's declaration, complete with what is by default. */
export type DeclaredFunction = ReturnType<typeof declareFunction>;

/** What every workflow's state machine is made of. */
export interface StateMachineSettings {
  /** The ARN of a function. */
  readonly functionArn: (declaration: DeclaredFunction) => string;
  /** The bucket of the executions' files. */
  readonly bucket: string;
  /** The vector stores of the stack. */
  readonly stores: readonly StoreName[];
  /** Receipts, or batches, at a time. */
  readonly maxConcurrency: number;
  /** An execution fails when more of its receipts, or batches, than these percent failed. */
  readonly toleratedFailurePercentage: number;
}

/** A workflow, by the name of its executions' files. */
export type WorkflowName = keyof typeof EXECUTION_FILES;

const DAY = 24 * 60 * 60;

/**
 * How long an execution may take, seconds: several times what the largest takes, so that one that hangs ends (and an alarm
 * says so) before it has cost much.
 */
export const EXECUTION_TIMEOUT: Readonly<Record<WorkflowName, number>> = {
  /** A million receipts at ten a time, some three seconds each, take three and a half days. */
  realtime: 7 * DAY,
  /** A hundred batches at five a time, each for Lambda's 15 minutes at most, take five hours. */
  batch_submit: DAY,
  /** 250 batches at five a time, some 15 minutes each, take half a day. */
  batch_poll: DAY,
};

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
const SDK_ERRORS: Retrier = {
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

/** A state without what comes after it. */
type Unlinked<Linked> = Omit<Extract<Linked, { End: true }>, 'End'>;

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

/** Failures that no other item can escape: whoever goes on runs into the same wall. */
const INESCAPABLE = ['QuotaExhausted', 'InvalidConfiguration'];

/** An item's execution that fails with this error counts against what its Map tolerates. */
const STOP_ERROR = 'NoItemCanSucceed';

/**
 * So many items may fail with what no other can escape; one more ends the Map. Those that are under way then, as many as run at a time,
 * are stopped. An express execution that takes longer than its five minutes counts too, hence the larger number.
 */
const STOP_AFTER = { STANDARD: 10, EXPRESS: 100 } as const;

/** The catchers of an item's task: what no other item can escape ends the item's execution as failed; anything else goes to `next`. */
export function catchItem(next: string): readonly Catcher[] {
  return [
    { ErrorEquals: INESCAPABLE, Next: STOP_ERROR, ResultPath: '$.failure' },
    ...catchAll(next),
  ];
}

/** The state that `catchItem` needs beside it. */
export const STOP_STATE: Readonly<Record<string, State>> = { [STOP_ERROR]: failWith(STOP_ERROR) };

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

/** The result of an item whose failure was caught at `$.failure`. */
export function itemFailed(...identity: readonly string[]): PassState {
  return {
    Type: 'Pass',
    Parameters: {
      status: 'error',
      ...fields(...identity),
      'error.$': '$.failure.Error',
      'cause.$': '$.failure.Cause',
    },
    End: true,
  };
}

interface ItemMapSettings extends Pick<StateMachineSettings, 'bucket' | 'maxConcurrency'> {
  /** Its own name, which its child executions are known by. */
  readonly label: string;
  readonly workflow: WorkflowName;
  /** What a child execution takes of its item; it gets the execution's name too. */
  readonly item: readonly string[];
  /** What a child execution takes of the Map's input. */
  readonly shared?: readonly string[];
  readonly childExecutionType: 'STANDARD' | 'EXPRESS';
  /** Whether items that fail with `catchItem` end it early; then `findResults` is the state FindResults. @default false */
  readonly stops?: boolean;
  readonly processor: Pick<StateMachineDefinition, 'StartAt' | 'States'>;
}

/**
 * A Map over the execution's list in S3, which goes on with where its results are at `$.results.location`, and after a failure of
 * its own to RunFailed. The name of the execution must be in its input.
 *
 * It is distributed whatever the number of items: an inline one would end at 256 KiB of results and
 * 25,000 events of history. It tolerates every failure: CheckFailures judges once, at the end. Only where it `stops`, what no other
 * item can escape ends it after a few.
 */
export function itemMap(settings: ItemMapSettings): Unlinked<DistributedMapState> {
  const { label, bucket, item, shared = [], processor, childExecutionType, stops } = settings;
  const { manifest, results } = EXECUTION_FILES[settings.workflow];
  return {
    Type: 'Map',
    Label: label,
    ItemReader: {
      Resource: integration('s3:getObject'),
      ReaderConfig: { InputType: 'JSONL' },
      Parameters: { Bucket: bucket, 'Key.$': executionFile(manifest) },
    },
    ItemSelector: {
      ...Object.fromEntries(item.map((name) => [`${name}.$`, `$$.Map.Item.Value.${name}`])),
      ...fields(...shared, 'execution_name'),
      // A child execution has an ARN of its own: this is the one that was started.
      ...(settings.workflow === 'realtime' ? {} : { 'execution_id.$': '$$.Execution.Id' }),
    },
    MaxConcurrency: settings.maxConcurrency,
    ToleratedFailurePercentage: 100,
    ...(stops === true ? { ToleratedFailureCount: STOP_AFTER[childExecutionType] } : {}),
    ItemProcessor: {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: childExecutionType },
      ...processor,
    },
    ResultWriter: {
      Resource: integration('s3:putObject'),
      Parameters: { Bucket: bucket, 'Prefix.$': executionFile(results) },
      WriterConfig: { Transformation: 'COMPACT', OutputType: 'JSONL' },
    },
    ResultSelector: { 'location.$': '$.ResultWriterDetails' },
    ResultPath: '$.results',
    Catch: [...(stops === true ? [MAP_STOPPED] : []), ...catchAll('RunFailed')],
  };
}

/** Items that succeeded before are to be added up all the same. */
const MAP_STOPPED: Catcher = {
  ErrorEquals: ['States.ExceedToleratedFailureThreshold'],
  Next: 'FindResults',
  ResultPath: '$.stopped',
};

/**
 * After a Map that was stopped: finds its Map Run, below whose id its results are, and goes on to the summary.
 *
 * @param next the state that adds up.
 */
export function findResults(
  next: string,
  { bucket }: StateMachineSettings,
): Readonly<Record<string, ListMapRunsState>> {
  return {
    FindResults: {
      Type: 'Task',
      Resource: integration('aws-sdk:sfn:listMapRuns'),
      Parameters: { 'ExecutionArn.$': '$$.Execution.Id' },
      ResultSelector: {
        location: { Bucket: bucket, 'MapRunArn.$': '$.MapRuns[0].MapRunArn' },
      },
      ResultPath: '$.results',
      TimeoutSeconds: 60,
      Retry: [SDK_ERRORS],
      Catch: catchAll('RunFailed'),
      Next: next,
    },
  };
}

/** A path with the execution's name in it, as an intrinsic function; the first task has put the name into the state. */
function executionFile(path: (executionName: string) => string): string {
  return `States.Format('${path('{}')}', $.execution_name)`;
}

/**
 * Adds up the results of a workflow's Map, and goes on to CheckFailures.
 *
 * @param totals what the summary takes over from the state's input.
 */
export function summary(
  workflow: WorkflowName,
  { functionArn }: StateMachineSettings,
  totals: readonly string[],
): TaskState {
  return {
    ...lambdaTask(
      functionArn(summarizeExecution),
      {
        Payload: {
          workflow,
          ...fields(...totals),
          'results.$': '$.results.location',
          ...fields('execution_name'),
        },
      },
      catchAll('RunFailed'),
    ),
    Next: 'CheckFailures',
  };
}

/**
 * How an execution ends that has nothing to do: with a summary like any other's, but for its results.
 *
 * @param own the workflow's own counts.
 * @param taken what the summary takes over from the state's input.
 */
export function emptySummary(
  own: Readonly<Record<string, 0 | readonly never[]>>,
  taken: readonly string[],
): PassState {
  return {
    Type: 'Pass',
    Parameters: {
      total: 0,
      failed: 0,
      not_tried: 0,
      stopped: null,
      failed_percentage: 0,
      failures: [],
      failures_by_reason: {},
      ...own,
      ...fields(...taken),
    },
    End: true,
  };
}

/**
 * How every workflow ends: CheckFailures judges a summary with `failed_percentage`, which is the execution's output, or the
 * cause of its failure.
 *
 * @param options `stops` where the workflow's Map may end early: then what was not tried fails the execution, whatever is tolerated.
 */
export function executionEnds(
  { toleratedFailurePercentage }: StateMachineSettings,
  { stops = false }: { readonly stops?: boolean } = {},
): Readonly<Record<string, State>> {
  return {
    CheckFailures: {
      Type: 'Choice',
      Choices: [
        ...(stops
          ? [{ Variable: '$.not_tried', NumericGreaterThan: 0, Next: 'StoppedEarly' }]
          : []),
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
    ...(stops
      ? {
          StoppedEarly: {
            Type: 'Fail',
            Error: 'StoppedEarly',
            CausePath: 'States.JsonToString($)',
          } as const,
        }
      : {}),
    RunFailed: failWith('RunFailed'),
  };
}
