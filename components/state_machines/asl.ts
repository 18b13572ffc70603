/** The part of the Amazon States Language (JSONPath) that our state machines are built from. */
export interface StateMachineDefinition {
  readonly Comment: string;
  /** After so long an execution is ended, TIMED_OUT; without it, after a year. */
  readonly TimeoutSeconds: number;
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export type State =
  TaskState | ListMapRunsState | MapState | ChoiceState | PassState | SucceedState | FailState;

/** What Step Functions itself knows to do: `arn:aws:states:::lambda:invoke`, in the partition that the state machine is in. */
type Integration<Action extends string> = `arn:${string}:states:::${Action}`;

/** An integration in whatever partition: `inPartition` says in which. */
export function integration<const Action extends string>(action: Action): Integration<Action> {
  return `arn:${ANY_PARTITION}:states:::${action}`;
}

const ANY_PARTITION = '{partition}';

/** A definition of a state machine, as it is in one partition of AWS: `aws`, `aws-us-gov`, `aws-cn`. */
export function inPartition(
  definition: StateMachineDefinition,
  partition: string,
): StateMachineDefinition {
  return JSON.parse(JSON.stringify(definition), (key, value: unknown) =>
    key === 'Resource' && typeof value === 'string'
      ? value.replace(ANY_PARTITION, partition)
      : value,
  ) as StateMachineDefinition;
}

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds: number;
  readonly MaxAttempts: number;
  readonly BackoffRate: number;
  readonly MaxDelaySeconds: number;
  readonly JitterStrategy: 'FULL';
}

export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
  readonly ResultPath: string;
}

type Transition = { readonly Next: string } | { readonly End: true };

export type TaskState = Transition & {
  readonly Type: 'Task';
  readonly Resource: Integration<'lambda:invoke'>;
  readonly Parameters: Readonly<Record<string, unknown>> & { readonly FunctionName: string };
  readonly TimeoutSeconds: number;
  readonly Retry: readonly Retrier[];
  readonly Catch: readonly Catcher[];
  readonly ResultSelector?: Readonly<Record<string, unknown>>;
  /** null drops the result: the state's output is its input. */
  readonly ResultPath?: string | null;
  readonly OutputPath?: string;
};

/** Asks Step Functions itself for the Map Runs of this execution: a Map that failed does not say where its results are. */
export type ListMapRunsState = Transition & {
  readonly Type: 'Task';
  readonly Resource: Integration<'aws-sdk:sfn:listMapRuns'>;
  readonly Parameters: { readonly 'ExecutionArn.$': '$$.Execution.Id' };
  readonly ResultSelector: Readonly<Record<string, unknown>>;
  readonly ResultPath: string;
  readonly TimeoutSeconds: number;
  readonly Retry: readonly Retrier[];
  readonly Catch: readonly Catcher[];
};

/** What a Map does with each item, as a workflow of its own. */
interface ItemProcessor<Config> {
  readonly ProcessorConfig: Config;
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/** A Map over a list in S3, with an execution of its own for each item. */
export type DistributedMapState = Transition & {
  readonly Type: 'Map';
  readonly Label: string;
  readonly ItemReader: {
    readonly Resource: Integration<'s3:getObject'>;
    readonly ReaderConfig: { readonly InputType: 'JSONL' };
    readonly Parameters: { readonly Bucket: string; readonly 'Key.$': string };
  };
  readonly ItemSelector: Readonly<Record<string, string>>;
  readonly MaxConcurrency: number;
  readonly ToleratedFailurePercentage: number;
  /** Besides the percentage: whichever is exceeded first ends the Map. */
  readonly ToleratedFailureCount?: number;
  readonly ItemProcessor: ItemProcessor<{
    readonly Mode: 'DISTRIBUTED';
    readonly ExecutionType: 'STANDARD' | 'EXPRESS';
  }>;
  readonly ResultWriter: {
    readonly Resource: Integration<'s3:putObject'>;
    readonly Parameters: { readonly Bucket: string; readonly 'Prefix.$': string };
    readonly WriterConfig: { readonly Transformation: 'COMPACT'; readonly OutputType: 'JSONL' };
  };
  readonly ResultSelector: Readonly<Record<string, string>>;
  readonly ResultPath: string;
  readonly Catch: readonly Catcher[];
};

/** A Map over a short list of the state's data, within the execution and its history. */
export type InlineMapState = Transition & {
  readonly Type: 'Map';
  readonly ItemsPath: string;
  readonly ItemSelector: Readonly<Record<string, string>>;
  /** At most 40 (docs/data_model.md §4). */
  readonly MaxConcurrency: number;
  readonly ItemProcessor: ItemProcessor<{ readonly Mode: 'INLINE' }>;
  /** The iterations' results are dropped, since together they have no bound. */
  readonly ResultPath: null;
  readonly Catch: readonly Catcher[];
};

export type MapState = DistributedMapState | InlineMapState;

/** Whether a task asks Step Functions itself. */
export function listsMapRuns(task: TaskState | ListMapRunsState): task is ListMapRunsState {
  return task.Resource.endsWith(':states:::aws-sdk:sfn:listMapRuns');
}

/** Whether a Map starts executions of its own, for which its role needs rights. */
export function isDistributed(map: MapState): map is DistributedMapState {
  return map.ItemProcessor.ProcessorConfig.Mode === 'DISTRIBUTED';
}

export interface ChoiceState {
  readonly Type: 'Choice';
  readonly Choices: readonly {
    readonly Variable: string;
    readonly IsPresent?: true;
    readonly NumericEquals?: number;
    readonly NumericGreaterThan?: number;
    readonly StringEquals?: string;
    readonly Next: string;
  }[];
  readonly Default: string;
}

export type PassState = Transition & {
  readonly Type: 'Pass';
  readonly Parameters: Readonly<Record<string, unknown>>;
};

export interface SucceedState {
  readonly Type: 'Succeed';
}

export interface FailState {
  readonly Type: 'Fail';
  /** A fixed name: what was caught may be called `States.…`, which no Fail state may throw. */
  readonly Error: string;
  readonly CausePath: string;
}

/** A state without what comes after it. */
export type Unlinked<Linked> = Omit<Extract<Linked, { End: true }>, 'End'>;
