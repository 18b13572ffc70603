import { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import type { StateMachineDefinition } from './asl.ts';
import { batchIngestion, type BatchIngestionFunctions } from './batch_ingestion.ts';
import { distributedMap } from './distributed_map.ts';
import { catchAll, lambdaTask } from './lambda_task.ts';
import { EXECUTION_INPUT, runOutcome } from './run_outcome.ts';
import { RUN_TIMEOUT } from './run_timeout.ts';

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
              workflow: 'batch_poll',
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
