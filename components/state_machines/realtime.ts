import type { StateMachineDefinition } from './asl.ts';
import { catchAll, lambdaTask } from './lambda_task.ts';
import { RUN_FILES } from './run_files.ts';

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

/**
 * The realtime workflow: find receipts, process each in an execution of its own, add up.
 *
 * The Map is distributed whatever the number of receipts: an inline one would end at 256 KiB of
 * results and 25,000 events of history. It tolerates every failure; CheckFailures judges once, at the end.
 */
export function realtimeStateMachine(
  settings: RealtimeStateMachineSettings,
): StateMachineDefinition {
  const { functions, bucket } = settings;
  return {
    Comment: 'Embeds receipts: lines and words to ChromaDB deltas, one receipt at a time',
    StartAt: 'FindReceipts',
    States: {
      FindReceipts: {
        ...lambdaTask(
          functions.findReceipts,
          // The execution's input, and beside it the execution's name, which its files are called by.
          { 'Payload.$': 'States.JsonMerge($, $$.Execution, false)' },
          'RunFailed',
        ),
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
          lines: 0,
          words: 0,
          vectors: 0,
          openai_requests: 0,
          prompt_tokens: 0,
          estimated_cost_usd: 0,
          'invalid_rows.$': '$.invalid_rows',
          'last_evaluated_key.$': '$.last_evaluated_key',
        },
        End: true,
      },
      ProcessReceipts: {
        Type: 'Map',
        Label: 'ProcessReceipts',
        ItemReader: {
          Resource: 'arn:aws:states:::s3:getObject',
          ReaderConfig: { InputType: 'JSONL' },
          Parameters: { Bucket: bucket, 'Key.$': runFile(RUN_FILES.manifest) },
        },
        ItemSelector: {
          'image_id.$': '$$.Map.Item.Value.image_id',
          'receipt_id.$': '$$.Map.Item.Value.receipt_id',
          'force.$': '$.force',
          'execution_name.$': '$.execution_name',
        },
        MaxConcurrency: settings.maxConcurrency,
        ToleratedFailurePercentage: 100,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: settings.childExecutionType },
          StartAt: 'ProcessReceipt',
          States: {
            ProcessReceipt: {
              ...lambdaTask(functions.processReceipt, { 'Payload.$': '$' }, 'ProcessReceiptFailed'),
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
        },
        ResultWriter: {
          Resource: 'arn:aws:states:::s3:putObject',
          Parameters: { Bucket: bucket, 'Prefix.$': runFile(RUN_FILES.results) },
          WriterConfig: { Transformation: 'COMPACT', OutputType: 'JSONL' },
        },
        ResultSelector: { 'location.$': '$.ResultWriterDetails' },
        ResultPath: '$.results',
        Catch: catchAll('RunFailed'),
        Next: 'SummarizeRun',
      },
      SummarizeRun: {
        ...lambdaTask(
          functions.summarizeRun,
          {
            Payload: {
              'total_receipts.$': '$.total_receipts',
              'last_evaluated_key.$': '$.last_evaluated_key',
              'invalid_rows.$': '$.invalid_rows',
              'results.$': '$.results.location',
            },
          },
          'RunFailed',
        ),
        Next: 'CheckFailures',
      },
      CheckFailures: {
        Type: 'Choice',
        Choices: [
          {
            Variable: '$.failed_percentage',
            NumericGreaterThan: settings.toleratedFailurePercentage,
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
    },
  };
}

/** A path with the execution's name in it, as an intrinsic function; the name is in the state since FindReceipts. */
function runFile(path: (executionName: string) => string): string {
  return `States.Format('${path('{}')}', $.execution_name)`;
}
