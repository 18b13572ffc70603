import { declaration as findReceipts } from '../../simple_lambdas/find_receipts_realtime/declaration.ts';
import { declaration as processReceipt } from '../../simple_lambdas/process_receipt_realtime/declaration.ts';
import type { StateMachineDefinition } from './asl.ts';
import { emptySummary, executionEnds, summary } from './execution_ends.ts';
import { catchItem, findResults, itemFailed, itemMap, STOP_STATE } from './item_map.ts';
import { catchAll, EXECUTION_INPUT, lambdaTask, WHOLE_STATE } from './lambda_task.ts';
import { RUN_ALONE, runAlone } from './run_alone.ts';
import { EXECUTION_TIMEOUT, type StateMachineSettings } from './workflow_settings.ts';

export interface RealtimeStateMachineSettings extends StateMachineSettings {
  readonly childExecutionType: 'STANDARD' | 'EXPRESS';
}

/** The realtime workflow: find receipts, process each in an execution of its own, add up. */
export function realtimeStateMachine(
  settings: RealtimeStateMachineSettings,
): StateMachineDefinition {
  const { functionArn, bucket, maxConcurrency, childExecutionType } = settings;
  return {
    Comment: 'Embeds receipts: lines and words to ChromaDB deltas, one receipt at a time',
    TimeoutSeconds: EXECUTION_TIMEOUT.realtime,
    StartAt: RUN_ALONE,
    States: {
      ...runAlone('FindReceipts', settings),
      FindReceipts: {
        ...lambdaTask(functionArn(findReceipts), EXECUTION_INPUT, catchAll('RunFailed')),
        Next: 'CheckReceipts',
      },
      CheckReceipts: {
        Type: 'Choice',
        Choices: [{ Variable: '$.total_receipts', NumericEquals: 0, Next: 'NoReceipts' }],
        Default: 'ProcessReceipts',
      },
      NoReceipts: emptySummary(
        {
          succeeded: 0,
          reused: 0,
          skipped: 0,
          lines: 0,
          words: 0,
          vectors: 0,
          openai_requests: 0,
          prompt_tokens: 0,
          refused: 0,
          refusals: [],
          estimated_cost_usd: 0,
        },
        ['invalid_rows', 'last_evaluated_key'],
      ),
      ProcessReceipts: {
        ...itemMap({
          label: 'ProcessReceipts',
          workflow: 'realtime',
          bucket,
          item: ['image_id', 'receipt_id'],
          shared: ['force'],
          maxConcurrency,
          childExecutionType,
          stops: true,
          processor: {
            StartAt: 'ProcessReceipt',
            States: {
              ProcessReceipt: {
                ...lambdaTask(
                  functionArn(processReceipt),
                  WHOLE_STATE,
                  catchItem('ProcessReceiptFailed'),
                ),
                End: true,
              },
              ProcessReceiptFailed: itemFailed('image_id', 'receipt_id'),
              ...STOP_STATE,
            },
          },
        }),
        Next: 'SummarizeRun',
      },
      ...findResults('SummarizeRun', settings),
      SummarizeRun: summary('realtime', settings, [
        'total_receipts',
        'last_evaluated_key',
        'invalid_rows',
      ]),
      ...executionEnds(settings, { stops: true }),
    },
  };
}
