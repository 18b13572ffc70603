import { declaration as downloadBatchResults } from '../../../simple_lambdas/download_batch_results/declaration.ts';
import { declaration as findReceipts } from '../../../simple_lambdas/find_receipts_realtime/declaration.ts';
import { declaration as getBatchStatus } from '../../../simple_lambdas/get_batch_status/declaration.ts';
import { declaration as listPendingBatches } from '../../../simple_lambdas/list_pending_batches/declaration.ts';
import { declaration as logBatchResults } from '../../../simple_lambdas/log_batch_results/declaration.ts';
import { declaration as markBatchComplete } from '../../../simple_lambdas/mark_batch_complete/declaration.ts';
import { declaration as noteArrivals } from '../../../simple_lambdas/note_arrivals/declaration.ts';
import { declaration as planBatches } from '../../../simple_lambdas/plan_batches/declaration.ts';
import { declaration as processReceipt } from '../../../simple_lambdas/process_receipt_realtime/declaration.ts';
import { declaration as startArrivals } from '../../../simple_lambdas/start_arrivals/declaration.ts';
import { declaration as submitBatch } from '../../../simple_lambdas/submit_batch/declaration.ts';
import { declaration as summarizeExecution } from '../../../simple_lambdas/summarize_execution/declaration.ts';
import { declaration as takeExecutionLock } from '../../../simple_lambdas/take_execution_lock/declaration.ts';
import { declaration as upsertToStore } from '../../../simple_lambdas/upsert_to_store/declaration.ts';
import { declaration as writeResultsToDynamo } from '../../../simple_lambdas/write_results_to_dynamo/declaration.ts';

/**
 * What an estimate takes for granted. Whatever can be counted is counted; these are the rest. Times are what the benches show
 * of the functions' own work, and for AWS and OpenAI what they usually take in one region (DynamoDB 10 ms, S3 60 ms, an
 * embeddings request 300 ms and 2 ms for each input); none was measured on AWS.
 */
export interface Assumptions {
  /** The table holds every letter that OCR saw, and the query for a receipt's labels passes over them (docs/data_model.md §1). */
  readonly letters_per_word: number;
  readonly letter_bytes: number;
  /** While OpenAI works on a batch: an hour and a half, polled every quarter of an hour. */
  readonly polls_while_running: number;
  /** Of one invocation: two lines of ours, and Lambda's own that it started and what it took. */
  readonly log_bytes_per_invocation: number;
  /** What an account of OpenAI's first paid tier may ask for in a minute, with a text-embedding-3 model. */
  readonly openai_tokens_per_minute: number;
  readonly openai_requests_per_minute: number;
  /** OpenAI's own promise for a batch, and the quickest that is usual, seconds. */
  readonly batch_seconds: { readonly low: number; readonly high: number };
  /** How many times as long as assumed it may well take. */
  readonly slowest: number;
}

export const ASSUMPTIONS: Assumptions = {
  letters_per_word: 5,
  letter_bytes: 550,
  polls_while_running: 6,
  log_bytes_per_invocation: 2_500,
  openai_tokens_per_minute: 1_000_000,
  openai_requests_per_minute: 3_000,
  batch_seconds: { low: 10 * 60, high: 24 * 3_600 },
  slowest: 2,
};

/**
 * How long each function takes, seconds of its billed time. Its memory is what it declares. A first start in an environment is
 * a second more.
 */
export const FUNCTIONS = {
  note_arrivals: { declaration: noteArrivals, seconds: 0.1, per_record: 0.000_05 },
  start_arrivals: { declaration: startArrivals, seconds: 0.2, per_receipt: 0.000_8 },
  take_execution_lock: { declaration: takeExecutionLock, seconds: 0.3 },
  find_receipts_realtime: { declaration: findReceipts, seconds: 1, per_receipt: 0.000_5 },
  process_receipt_realtime: {
    declaration: processReceipt,
    seconds: 0.25,
    per_request: 0.3,
    per_vector: 0.003,
  },
  plan_batches: { declaration: planBatches, seconds: 1, per_receipt: 0.004 },
  submit_batch: { declaration: submitBatch, seconds: 2, per_entity: 0.000_6 },
  list_pending_batches: { declaration: listPendingBatches, seconds: 0.3 },
  get_batch_status: { declaration: getBatchStatus, seconds: 0.5 },
  download_batch_results: { declaration: downloadBatchResults, seconds: 1, per_entity: 0.000_6 },
  log_batch_results: { declaration: logBatchResults, seconds: 0.5, per_entity: 0.004 },
  /** Once for each store. */
  upsert_to_store: { declaration: upsertToStore, seconds: 0.5, per_entity: 0.004 },
  write_results_to_dynamo: { declaration: writeResultsToDynamo, seconds: 0.5, per_entity: 0.001_5 },
  mark_batch_complete: { declaration: markBatchComplete, seconds: 0.5, per_entity: 0.000_05 },
  summarize_execution: { declaration: summarizeExecution, seconds: 0.5, per_receipt: 0.000_1 },
} as const;

export type FunctionName = keyof typeof FUNCTIONS;

export const COLD_START_SECONDS = 1;

/**
 * What embedding on arrival takes for one receipt whose rows come within 5 to 25 seconds; a test holds them against simulated arrivals
 * (`npm run bench:arrivals`).
 */
export const ARRIVALS = {
  /** Nothing else comes meanwhile: each window of the stream and of the queue has this receipt alone, and so has an execution. */
  alone: {
    note_invocations: 4.5,
    start_invocations: 3,
    sqs_requests: 9,
    notes_written: 3.5,
    notes_read: 3,
    notes_deleted: 1,
    executions: 1,
  },
  /** A thousand within a minute. */
  together: {
    note_invocations: 0.3,
    start_invocations: 0.04,
    sqs_requests: 0.5,
    notes_written: 10,
    notes_read: 7,
    notes_deleted: 1,
    executions: 0.04,
  },
} as const;

/** What an express execution holds while it waits for its function, MB: the least that is billed. */
export const EXPRESS_MEMORY_MB = 64;

/**
 * What a batch's own record costs, in requests: a test holds them against a run. Each write is of a row below 1 KB and of its
 * copies in GSI1, where a change of status is two writes, and GSITYPE.
 */
export const BATCH_RECORD = {
  /** Recorded, and updated at four of the submission's steps. */
  submit: { writes: 5, reads: 1 },
  /** Claimed, and given up again. */
  running_poll: { writes: 2, reads: 1 },
  /** Claimed, noted what OpenAI says and that the results are here, claimed on at each step, and ended; read once more for its files. */
  ingestion: { writes: 6, reads: 4 },
  /** Claimed on at its steps, but for those of the stores. */
  part: { writes: 3, reads: 2 },
  /** Claimed on for a store. */
  store_of_a_part: { writes: 1, reads: 0 },
  units_of_a_write: 3.5,
} as const;

/** What the log has of a receipt is recorded once it is there, and once more when the stores have it; each time it is read before. */
export const RECEIPT_RECORD = { writes: 2, reads: 2 } as const;

/** Requests to S3 that Step Functions makes for a Distributed Map: the list, then two files of results. */
export const MAP_FILES = { gets: 1, puts: 2 } as const;

/** Requests to S3 of a function that adds up a Map's results: their manifest, then they themselves. */
export const SUMMARY_GETS = 2;

/** Requests to S3 for a batch and for each part of its results; a test holds them against a run. */
export const BATCH_FILES = {
  /** The plan is written and read; the requests are written and read. */
  submit: { puts: 2, gets: 2 },
  /** Plan and requests are read for the results, and once more at the end. */
  ingestion: { puts: 0, gets: 4 },
  /**
   * Written; read for the log, which writes what the stores get; that is read for each store, which writes what it refused, and with all
   * of that for the table. Deltas come on top.
   */
  part: { puts: 1, log_puts: 1, gets: 2, store_gets: 2, store_puts: 1 },
} as const;

/** One execution plans so many batches at most (simple_lambdas/plan_batches/handler.ts). */
export const BATCHES_OF_AN_EXECUTION = 100;
