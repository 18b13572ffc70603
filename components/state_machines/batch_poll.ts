import { declaration as downloadResults } from '../../simple_lambdas/download_batch_results/declaration.ts';
import { declaration as getBatchStatus } from '../../simple_lambdas/get_batch_status/declaration.ts';
import { declaration as listPendingBatches } from '../../simple_lambdas/list_pending_batches/declaration.ts';
import { declaration as logBatchResults } from '../../simple_lambdas/log_batch_results/declaration.ts';
import { declaration as markBatchComplete } from '../../simple_lambdas/mark_batch_complete/declaration.ts';
import { declaration as recordBatchFailure } from '../../simple_lambdas/record_batch_failure/declaration.ts';
import { declaration as releaseBatch } from '../../simple_lambdas/release_batch/declaration.ts';
import type { StoreName } from '../../simple_lambdas/runtime/declaration.ts';
import { upsertTo } from '../../simple_lambdas/upsert_to_store/declaration.ts';
import { declaration as writeResultsToDynamo } from '../../simple_lambdas/write_results_to_dynamo/declaration.ts';
import type { InlineMapState, State, StateMachineDefinition } from './asl.ts';
import { emptySummary, executionEnds, summary } from './execution_ends.ts';
import { itemFailed, itemMap } from './item_map.ts';
import {
  catchAll,
  EXECUTION_INPUT,
  failWith,
  fields,
  lambdaTask,
  WHOLE_STATE,
} from './lambda_task.ts';
import { RUN_ALONE, runAlone } from './run_alone.ts';
import { EXECUTION_TIMEOUT, type StateMachineSettings } from './workflow_settings.ts';

/** Parts at a time: a store gets up to five requests at once from each. */
const PART_CONCURRENCY = 4;

const BATCH_FAILED = catchAll('RecordBatchFailure');

/**
 * The batch path's second half: list the batches that are under way, ask OpenAI about each, ingest those that
 * have ended, add up.
 */
export function batchPollStateMachine(settings: StateMachineSettings): StateMachineDefinition {
  const { functionArn, bucket, maxConcurrency } = settings;
  return {
    Comment: 'Asks OpenAI about batches, and ingests the results of those that have ended',
    TimeoutSeconds: EXECUTION_TIMEOUT.batch_poll,
    StartAt: RUN_ALONE,
    States: {
      ...runAlone('ListPendingBatches', settings),
      ListPendingBatches: {
        ...lambdaTask(functionArn(listPendingBatches), EXECUTION_INPUT, catchAll('RunFailed')),
        Next: 'CheckBatches',
      },
      CheckBatches: {
        Type: 'Choice',
        Choices: [{ Variable: '$.total_batches', NumericEquals: 0, Next: 'NoBatches' }],
        Default: 'ProcessBatches',
      },
      NoBatches: emptySummary(
        {
          completed: 0,
          running: 0,
          requested: 0,
          succeeded: 0,
          rows_failed: 0,
          released: 0,
          prompt_tokens: 0,
          estimated_cost_usd: 0,
        },
        ['more', 'invalid_rows'],
      ),
      ProcessBatches: {
        ...itemMap({
          label: 'ProcessBatches',
          workflow: 'batch_poll',
          bucket,
          item: ['batch_id'],
          maxConcurrency,
          // A full batch takes longer, and has more history, than an express execution may.
          childExecutionType: 'STANDARD',
          processor: batchProcessor(settings),
        }),
        Next: 'SummarizePoll',
      },
      SummarizePoll: summary('batch_poll', settings, ['total_batches', 'more', 'invalid_rows']),
      ...executionEnds(settings),
    },
  };
}

/**
 * One batch, from OpenAI's word about it to its end: still running, ingested, released, or recorded with what
 * went wrong. Every error is caught here, so that one bad batch never stops the others.
 */
function batchProcessor(
  settings: StateMachineSettings,
): Pick<StateMachineDefinition, 'StartAt' | 'States'> {
  const { functionArn } = settings;
  return {
    StartAt: 'GetBatchStatus',
    States: {
      GetBatchStatus: {
        ...lambdaTask(functionArn(getBatchStatus), WHOLE_STATE, BATCH_FAILED),
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
      BatchStillRunning: {
        Type: 'Pass',
        Parameters: { status: 'running', ...fields('batch_id', 'batch_type', 'batch_status') },
        End: true,
      },
      DownloadResults: {
        ...lambdaTask(functionArn(downloadResults), WHOLE_STATE, [
          // OpenAI keeps files for 30 days: what is in none any more can only be asked for again.
          { ErrorEquals: ['ResultsExpired'], Next: 'ReleaseBatch', ResultPath: '$.failure' },
          ...BATCH_FAILED,
        ]),
        Next: 'IngestParts',
      },
      IngestParts: ingestParts(settings),
      MarkBatchComplete: {
        ...lambdaTask(functionArn(markBatchComplete), WHOLE_STATE, BATCH_FAILED),
        End: true,
      },
      ReleaseBatch: {
        ...lambdaTask(functionArn(releaseBatch), WHOLE_STATE, BATCH_FAILED),
        End: true,
      },
      RecordBatchFailure: {
        ...lambdaTask(
          functionArn(recordBatchFailure),
          {
            Payload: {
              ...fields('batch_id', 'execution_name', 'execution_id'),
              'error.$': '$.failure.Error',
              'cause.$': '$.failure.Cause',
            },
          },
          // The failure is the batch's result even when it can't be recorded.
          catchAll('BatchFailed', '$.recording'),
        ),
        // Its answer is what became of the batch: it may have ended, and only the answer of its last step be lost.
        End: true,
      },
      BatchFailed: itemFailed('batch_id'),
    },
  };
}

const LAST_OF_PART = 'WriteResultsToDynamo';

/** Each part of the results: into the log first, then into each store of the stack, and into the table when all have it. */
function ingestParts({ functionArn, stores }: StateMachineSettings): InlineMapState {
  const [first = LAST_OF_PART, ...others] = stores.map(upsertState);
  const upserts = stores.map((store, at): [string, State] => [
    upsertState(store),
    {
      ...lambdaTask(functionArn(upsertTo(store)), WHOLE_STATE, catchAll('PartFailed'), {
        ResultPath: null,
      }),
      Next: others[at] ?? LAST_OF_PART,
    },
  ]);
  return {
    Type: 'Map',
    ItemsPath: '$.parts',
    ItemSelector: {
      ...fields('batch_id', 'batch_type', 'execution_name', 'execution_id'),
      'part.$': '$$.Map.Item.Value',
    },
    MaxConcurrency: PART_CONCURRENCY,
    ItemProcessor: {
      ProcessorConfig: { Mode: 'INLINE' },
      StartAt: 'LogResults',
      States: {
        LogResults: {
          ...lambdaTask(functionArn(logBatchResults), WHOLE_STATE, catchAll('PartFailed'), {
            ResultSelector: { 'vectors.$': '$.Payload.vectors', 'stores.$': '$.Payload.stores' },
            ResultPath: '$.logged',
          }),
          Next: first,
        },
        ...Object.fromEntries(upserts),
        [LAST_OF_PART]: {
          ...lambdaTask(functionArn(writeResultsToDynamo), WHOLE_STATE, catchAll('PartFailed')),
          End: true,
        },
        PartFailed: failWith('PartFailed'),
      },
    },
    ResultPath: null,
    Catch: BATCH_FAILED,
    Next: 'MarkBatchComplete',
  };
}

/** `UpsertToS3Vectors` */
function upsertState(store: StoreName): string {
  const words = store.split('_').map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`);
  return `UpsertTo${words.join('')}`;
}
