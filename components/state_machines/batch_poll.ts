import { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import type { InlineMapState, PassState, State, StateMachineDefinition } from './asl.ts';
import {
  catchAll,
  distributedMap,
  EXECUTION_INPUT,
  lambdaTask,
  RUN_TIMEOUT,
  runOutcome,
} from './shared_states.ts';

export interface BatchPollStateMachineSettings {
  /** ARNs of the functions. */
  readonly functions: BatchIngestionFunctions & {
    readonly listPendingBatches: string;
    readonly summarizePoll: string;
  };
  /** The bucket of the batches' files. */
  readonly bucket: string;
  /** Batches at a time. */
  readonly maxConcurrency: number;
  /** The execution fails when more of its batches than these percent failed. */
  readonly toleratedFailurePercentage: number;
}

/**
 * The batch path's second half: list the batches that are under way, ask OpenAI about each, ingest those that
 * have ended, add up.
 */
export function batchPollStateMachine(
  settings: BatchPollStateMachineSettings,
): StateMachineDefinition {
  const { functions } = settings;
  return {
    Comment: 'Asks OpenAI about batches, and ingests the results of those that have ended',
    TimeoutSeconds: RUN_TIMEOUT.batchPoll,
    StartAt: 'ListPendingBatches',
    States: {
      ListPendingBatches: {
        ...lambdaTask(functions.listPendingBatches, EXECUTION_INPUT, catchAll('RunFailed')),
        Next: 'CheckBatches',
      },
      CheckBatches: {
        Type: 'Choice',
        Choices: [{ Variable: '$.total_batches', NumericEquals: 0, Next: 'NoBatches' }],
        Default: 'ProcessBatches',
      },
      NoBatches: {
        Type: 'Pass',
        Parameters: {
          total: 0,
          completed: 0,
          running: 0,
          failed: 0,
          failed_percentage: 0,
          failures: [],
          failures_by_reason: {},
          requested: 0,
          succeeded: 0,
          rows_failed: 0,
          released: 0,
          prompt_tokens: 0,
          estimated_cost_usd: 0,
          'more.$': '$.more',
          'invalid_rows.$': '$.invalid_rows',
        },
        End: true,
      },
      ProcessBatches: {
        ...distributedMap({
          label: 'ProcessBatches',
          bucket: settings.bucket,
          files: EXECUTION_FILES.batch_poll,
          itemSelector: {
            'batch_id.$': '$$.Map.Item.Value.batch_id',
            'execution_name.$': '$.execution_name',
          },
          maxConcurrency: settings.maxConcurrency,
          // A full batch takes longer, and has more history, than an express execution may.
          childExecutionType: 'STANDARD',
          processor: batchIngestion(functions),
        }),
        Next: 'SummarizePoll',
      },
      SummarizePoll: {
        ...lambdaTask(
          functions.summarizePoll,
          {
            Payload: {
              'total_batches.$': '$.total_batches',
              'more.$': '$.more',
              'invalid_rows.$': '$.invalid_rows',
              'results.$': '$.results.location',
              'execution_name.$': '$.execution_name',
            },
          },
          catchAll('RunFailed'),
        ),
        Next: 'CheckFailures',
      },
      ...runOutcome(settings.toleratedFailurePercentage),
    },
  };
}

/** ARNs of the functions that one batch needs. */
export interface BatchIngestionFunctions {
  readonly getBatchStatus: string;
  readonly downloadResults: string;
  readonly upsertToPinecone: string;
  readonly writeResultsToDynamo: string;
  readonly markBatchComplete: string;
  readonly releaseBatch: string;
  readonly recordBatchFailure: string;
}

/** Parts at a time: Pinecone gets five requests at once from each. */
const PART_CONCURRENCY = 4;

const WHOLE_STATE = { 'Payload.$': '$' } as const;
const BATCH_FAILED = catchAll('RecordBatchFailure');

/**
 * One batch, from OpenAI's word about it to its end: still running, ingested, released, or recorded with what
 * went wrong. Every error is caught here, so that one bad batch never stops the others.
 */
export function batchIngestion(
  functions: BatchIngestionFunctions,
): Pick<StateMachineDefinition, 'StartAt' | 'States'> {
  return {
    StartAt: 'GetBatchStatus',
    States: {
      GetBatchStatus: {
        ...lambdaTask(functions.getBatchStatus, WHOLE_STATE, BATCH_FAILED),
        Next: 'CheckStatus',
      },
      CheckStatus: {
        Type: 'Choice',
        Choices: [
          { Variable: '$.action', StringEquals: 'ingest', Next: 'DownloadResults' },
          { Variable: '$.action', StringEquals: 'release', Next: 'ReleaseBatch' },
        ],
        Default: 'BatchStillRunning',
      },
      BatchStillRunning,
      DownloadResults: {
        ...lambdaTask(functions.downloadResults, WHOLE_STATE, [
          // OpenAI keeps files for 30 days: what is in none any more can only be asked for again.
          { ErrorEquals: ['ResultsExpired'], Next: 'ReleaseBatch', ResultPath: '$.failure' },
          ...BATCH_FAILED,
        ]),
        Next: 'IngestParts',
      },
      IngestParts: ingestParts(functions),
      MarkBatchComplete: {
        ...lambdaTask(functions.markBatchComplete, WHOLE_STATE, BATCH_FAILED),
        End: true,
      },
      ReleaseBatch: {
        ...lambdaTask(functions.releaseBatch, WHOLE_STATE, BATCH_FAILED),
        End: true,
      },
      RecordBatchFailure: recordBatchFailure(functions.recordBatchFailure),
      BatchFailed,
    },
  };
}

const BatchStillRunning: PassState = {
  Type: 'Pass',
  Parameters: {
    status: 'running',
    'batch_id.$': '$.batch_id',
    'batch_type.$': '$.batch_type',
    'batch_status.$': '$.batch_status',
  },
  End: true,
};

/** Each part of the results: vectors first, records after. */
function ingestParts(functions: BatchIngestionFunctions): InlineMapState {
  return {
    Type: 'Map',
    ItemsPath: '$.parts',
    ItemSelector: {
      'batch_id.$': '$.batch_id',
      'batch_type.$': '$.batch_type',
      'execution_name.$': '$.execution_name',
      'part.$': '$$.Map.Item.Value',
    },
    MaxConcurrency: PART_CONCURRENCY,
    ItemProcessor: {
      ProcessorConfig: { Mode: 'INLINE' },
      StartAt: 'UpsertToPinecone',
      States: {
        UpsertToPinecone: {
          ...lambdaTask(functions.upsertToPinecone, WHOLE_STATE, catchAll('PartFailed'), {
            ResultSelector: { 'vectors.$': '$.Payload.vectors' },
            ResultPath: '$.upserted',
          }),
          Next: 'WriteResultsToDynamo',
        },
        WriteResultsToDynamo: {
          ...lambdaTask(functions.writeResultsToDynamo, WHOLE_STATE, catchAll('PartFailed')),
          End: true,
        },
        PartFailed: { Type: 'Fail', ErrorPath: '$.failure.Error', CausePath: '$.failure.Cause' },
      },
    },
    ResultPath: null,
    Catch: BATCH_FAILED,
    Next: 'MarkBatchComplete',
  };
}

/** The failure is the batch's result even when it can't be recorded. */
function recordBatchFailure(functionArn: string): State {
  return {
    ...lambdaTask(
      functionArn,
      {
        Payload: {
          'batch_id.$': '$.batch_id',
          'execution_name.$': '$.execution_name',
          'error.$': '$.failure.Error',
          'cause.$': '$.failure.Cause',
        },
      },
      catchAll('BatchFailed', '$.recording'),
      { ResultPath: null },
    ),
    Next: 'BatchFailed',
  };
}

const BatchFailed: PassState = {
  Type: 'Pass',
  Parameters: {
    status: 'error',
    'batch_id.$': '$.batch_id',
    'error.$': '$.failure.Error',
    'cause.$': '$.failure.Cause',
  },
  End: true,
};
