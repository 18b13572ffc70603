import { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import type { StateMachineDefinition } from './asl.ts';
import {
  catchAll,
  distributedMap,
  EXECUTION_INPUT,
  lambdaTask,
  RUN_TIMEOUT,
  runOutcome,
} from './shared_states.ts';

export interface BatchSubmitStateMachineSettings {
  /** ARNs of the functions. */
  readonly functions: {
    readonly planBatches: string;
    readonly submitBatch: string;
    readonly summarizeSubmit: string;
  };
  /** The bucket of the batches' files. */
  readonly bucket: string;
  /** Batches at a time. */
  readonly maxConcurrency: number;
  /** The execution fails when more of its batches than these percent failed. */
  readonly toleratedFailurePercentage: number;
}

/** The batch path's first half: plan batches over all that is to be embedded, submit each to OpenAI, add up. */
export function batchSubmitStateMachine(
  settings: BatchSubmitStateMachineSettings,
): StateMachineDefinition {
  const { functions } = settings;
  return {
    Comment: 'Submits lines and words that are to be embedded to OpenAI, as batches',
    TimeoutSeconds: RUN_TIMEOUT.batchSubmit,
    StartAt: 'PlanBatches',
    States: {
      PlanBatches: {
        ...lambdaTask(functions.planBatches, EXECUTION_INPUT, catchAll('RunFailed')),
        Next: 'CheckBatches',
      },
      CheckBatches: {
        Type: 'Choice',
        Choices: [{ Variable: '$.total_batches', NumericEquals: 0, Next: 'NoBatches' }],
        Default: 'SubmitBatches',
      },
      NoBatches: {
        Type: 'Pass',
        Parameters: {
          total: 0,
          submitted: 0,
          dropped: 0,
          failed: 0,
          failed_percentage: 0,
          failures: [],
          failures_by_reason: {},
          planned: 0,
          requested: 0,
          'receipts.$': '$.receipts',
          'more.$': '$.more',
          'invalid_rows.$': '$.invalid_rows',
        },
        End: true,
      },
      SubmitBatches: {
        ...distributedMap({
          label: 'SubmitBatches',
          bucket: settings.bucket,
          files: EXECUTION_FILES.batch_submit,
          itemSelector: {
            'batch_id.$': '$$.Map.Item.Value.batch_id',
            'batch_type.$': '$$.Map.Item.Value.batch_type',
            'execution_name.$': '$.execution_name',
          },
          maxConcurrency: settings.maxConcurrency,
          // A submission may take the whole of Lambda's 15 minutes: more than an express execution has.
          childExecutionType: 'STANDARD',
          processor: submission(functions.submitBatch),
        }),
        Next: 'SummarizeSubmit',
      },
      SummarizeSubmit: {
        ...lambdaTask(
          functions.summarizeSubmit,
          {
            Payload: {
              'total_batches.$': '$.total_batches',
              'planned.$': '$.planned',
              'receipts.$': '$.receipts',
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

/** One batch: submitted, or listed with its error. */
function submission(submitBatch: string): Pick<StateMachineDefinition, 'StartAt' | 'States'> {
  return {
    StartAt: 'SubmitBatch',
    States: {
      SubmitBatch: {
        ...lambdaTask(submitBatch, { 'Payload.$': '$' }, catchAll('SubmitBatchFailed')),
        End: true,
      },
      SubmitBatchFailed: {
        Type: 'Pass',
        Parameters: {
          status: 'error',
          'batch_id.$': '$.batch_id',
          'error.$': '$.failure.Error',
          'cause.$': '$.failure.Cause',
        },
        End: true,
      },
    },
  };
}
