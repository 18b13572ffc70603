import { declaration as planBatches } from '../../simple_lambdas/plan_batches/declaration.ts';
import { declaration as submitBatch } from '../../simple_lambdas/submit_batch/declaration.ts';
import type { Retrier, StateMachineDefinition } from './asl.ts';
import { emptySummary, executionEnds, summary } from './execution_ends.ts';
import { catchItem, findResults, itemFailed, itemMap, STOP_STATE } from './item_map.ts';
import { catchAll, EXECUTION_INPUT, lambdaTask, WHOLE_STATE } from './lambda_task.ts';
import { RUN_ALONE, runAlone } from './run_alone.ts';
import { EXECUTION_TIMEOUT, type StateMachineSettings } from './workflow_settings.ts';

/**
 * An invocation whose answer was lost may still be at work, and keeps its lease meanwhile: Lambda's 15 minutes, and the lease's
 * three after them, are waited for: half a minute each time, on average.
 */
const EARLIER_INVOCATION: Retrier = {
  ErrorEquals: ['ConcurrentUpdate'],
  IntervalSeconds: 30,
  MaxAttempts: 48,
  BackoffRate: 1.5,
  MaxDelaySeconds: 60,
  JitterStrategy: 'FULL',
};

/** The batch path's first half: plan batches over all that is to be embedded, submit each to OpenAI, add up. */
export function batchSubmitStateMachine(settings: StateMachineSettings): StateMachineDefinition {
  const { functionArn, bucket, maxConcurrency } = settings;
  return {
    Comment: 'Submits lines and words that are to be embedded to OpenAI, as batches',
    TimeoutSeconds: EXECUTION_TIMEOUT.batch_submit,
    StartAt: RUN_ALONE,
    States: {
      ...runAlone('PlanBatches', settings),
      PlanBatches: {
        ...lambdaTask(functionArn(planBatches), EXECUTION_INPUT, catchAll('RunFailed')),
        Next: 'CheckBatches',
      },
      CheckBatches: {
        Type: 'Choice',
        Choices: [{ Variable: '$.total_batches', NumericEquals: 0, Next: 'NoBatches' }],
        Default: 'SubmitBatches',
      },
      NoBatches: emptySummary({ submitted: 0, dropped: 0, planned: 0, requested: 0 }, [
        'receipts',
        'more',
        'invalid_rows',
      ]),
      SubmitBatches: {
        ...itemMap({
          label: 'SubmitBatches',
          workflow: 'batch_submit',
          bucket,
          item: ['batch_id', 'batch_type'],
          maxConcurrency,
          // A submission may take the whole of Lambda's 15 minutes: more than an express execution has.
          childExecutionType: 'STANDARD',
          stops: true,
          processor: {
            StartAt: 'SubmitBatch',
            States: {
              SubmitBatch: {
                ...lambdaTask(
                  functionArn(submitBatch),
                  WHOLE_STATE,
                  catchItem('SubmitBatchFailed'),
                  undefined,
                  [EARLIER_INVOCATION],
                ),
                End: true,
              },
              SubmitBatchFailed: itemFailed('batch_id'),
              ...STOP_STATE,
            },
          },
        }),
        Next: 'SummarizeSubmit',
      },
      ...findResults('SummarizeSubmit', settings),
      SummarizeSubmit: summary('batch_submit', settings, [
        'total_batches',
        'planned',
        'receipts',
        'more',
        'invalid_rows',
      ]),
      ...executionEnds(settings, { stops: true }),
    },
  };
}
