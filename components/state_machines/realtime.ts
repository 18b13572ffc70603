import { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import type { StateMachineDefinition } from './asl.ts';
import { distributedMap } from './distributed_map.ts';
import { catchAll, lambdaTask } from './lambda_task.ts';
import { EXECUTION_INPUT, runOutcome } from './run_outcome.ts';
import { RUN_TIMEOUT } from './run_timeout.ts';

export interface RealtimeStateMachineSettings {
  /** ARNs of the functions. */
  readonly functions: {
    readonly findReceipts: string;
    readonly processReceipt: string;
    readonly summarizeRun: string;
  };
  /** The bucket of the runs' files. */
  readonly bucket: string;
  /** Receipts at a time. */
  readonly maxConcurrency: number;
  readonly childExecutionType: 'STANDARD' | 'EXPRESS';
  /** The execution fails when more of its receipts than these percent failed. */
  readonly toleratedFailurePercentage: number;
}

/** The realtime workflow: find receipts, process each in an execution of its own, add up. */
export function realtimeStateMachine(
  settings: RealtimeStateMachineSettings,
): StateMachineDefinition {
  const { functions } = settings;
  return {
    Comment: 'Embeds receipts: lines and words to ChromaDB deltas, one receipt at a time',
    TimeoutSeconds: RUN_TIMEOUT.realtime,
    StartAt: 'FindReceipts',
    States: {
      FindReceipts: {
        ...lambdaTask(functions.findReceipts, EXECUTION_INPUT, catchAll('RunFailed')),
        Next: 'CheckReceipts',
      },
      CheckReceipts: {
        Type: 'Choice',
        Choices: [{ Variable: '$.total_receipts', NumericEquals: 0, Next: 'NoReceipts' }],
        Default: 'ProcessReceipts',
      },
      NoReceipts: {
        Type: 'Pass',
        Parameters: {
          total: 0,
          succeeded: 0,
          reused: 0,
          skipped: 0,
          failed: 0,
          failed_percentage: 0,
          failures: [],
          failures_by_reason: {},
          lines: 0,
          words: 0,
          vectors: 0,
          openai_requests: 0,
          prompt_tokens: 0,
          refused: 0,
          refusals: [],
          estimated_cost_usd: 0,
          'invalid_rows.$': '$.invalid_rows',
          'last_evaluated_key.$': '$.last_evaluated_key',
        },
        End: true,
      },
      ProcessReceipts: {
        ...distributedMap({
          label: 'ProcessReceipts',
          bucket: settings.bucket,
          files: EXECUTION_FILES.realtime,
          itemSelector: {
            'image_id.$': '$$.Map.Item.Value.image_id',
            'receipt_id.$': '$$.Map.Item.Value.receipt_id',
            'force.$': '$.force',
            'execution_name.$': '$.execution_name',
          },
          maxConcurrency: settings.maxConcurrency,
          childExecutionType: settings.childExecutionType,
          processor: receiptProcessor(functions.processReceipt),
        }),
        Next: 'SummarizeRun',
      },
      SummarizeRun: {
        ...lambdaTask(
          functions.summarizeRun,
          {
            Payload: {
              workflow: 'realtime',
              'total_receipts.$': '$.total_receipts',
              'last_evaluated_key.$': '$.last_evaluated_key',
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

/** One receipt: processed, or listed with its error. */
function receiptProcessor(
  processReceipt: string,
): Pick<StateMachineDefinition, 'StartAt' | 'States'> {
  return {
    StartAt: 'ProcessReceipt',
    States: {
      ProcessReceipt: {
        ...lambdaTask(processReceipt, { 'Payload.$': '$' }, catchAll('ProcessReceiptFailed')),
        End: true,
      },
      ProcessReceiptFailed: {
        Type: 'Pass',
        Parameters: {
          status: 'error',
          'image_id.$': '$.image_id',
          'receipt_id.$': '$.receipt_id',
          'error.$': '$.failure.Error',
          'cause.$': '$.failure.Cause',
        },
        End: true,
      },
    },
  };
}
