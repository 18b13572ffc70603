import { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import { INESCAPABLE } from '../../simple_lambdas/summarize_execution/declaration.ts';
import {
  type Catcher,
  type DistributedMapState,
  integration,
  type ListMapRunsState,
  type PassState,
  type State,
  type StateMachineDefinition,
  type Unlinked,
} from './asl.ts';
import { catchAll, failWith, fields, SDK_ERRORS } from './lambda_task.ts';
import type { StateMachineSettings, WorkflowName } from './workflow_settings.ts';

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
