import { packRequests } from 'receipt-embedding/embeddings/openai';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import { compactionRunCodec, newCompactionRun } from 'receipt-embedding/entities/compaction_run';
import {
  embeddedReceiptCodec,
  type LoggedRun,
  unknownReceipt,
} from 'receipt-embedding/entities/embedded_receipt';
import { withRun } from 'receipt-embedding/entities/record_changes';
import { type ReceiptIdentity, toTimestamp } from 'receipt-embedding/entities/keys';
import type { EmbeddingStatus, ReceiptLine } from 'receipt-embedding/entities/line_and_word';
import { z } from 'zod';
import {
  type Assumptions,
  EXPRESS_MEMORY_MB,
  type FunctionName,
  FUNCTIONS,
  MAP_FILES,
  RECEIPT_RECORD,
  SUMMARY_GETS,
} from './assumptions.ts';
import { functionQuantities, type Invocations, type Quantities } from './costs.ts';
import { insertUnits, type MeasuredReceipt, measureRow, readUnits } from './measured_receipt.ts';
import type { Transitions } from './transitions.ts';
import { type StoredBytes, StoredBytesCounter } from './vector_stores.ts';

/** What the realtime path has to do, counted. */
export interface RealtimeWork {
  readonly receipts: number;
  /** Of them, those with an input that OpenAI refuses because of its length: they fail. */
  readonly refused_receipts: number;
  readonly lines: number;
  readonly words: number;
  readonly openai_requests: number;
  readonly prompt_tokens: number;
  /** Rows of the table that are written, and DynamoDB's units for it. */
  readonly rows_written: number;
  readonly write_units: number;
  readonly read_units: number;
  /** What each vector store is given. */
  readonly stored: StoredBytes;
}

/**
 * Counts what the realtime path does with each receipt that it is given: it embeds all of the receipt's lines and words that
 * are not noise, not blank and not FAILED, equal texts once. What the log has already it does not embed: the table does not tell.
 */
export class RealtimeCounter {
  readonly #status: EmbeddingStatus;
  readonly #assumptions: Assumptions;
  readonly #stored: StoredBytesCounter;
  readonly #sum = {
    receipts: 0,
    refused_receipts: 0,
    lines: 0,
    words: 0,
    openai_requests: 0,
    prompt_tokens: 0,
    rows_written: 0,
    write_units: 0,
    read_units: 0,
  };

  /**
   * @param status by which the receipts are found.
   * @param dimensions of the vectors.
   */
  constructor(status: EmbeddingStatus, dimensions: number, assumptions: Assumptions) {
    this.#status = status;
    this.#stored = new StoredBytesCounter(dimensions);
    this.#assumptions = assumptions;
  }

  get work(): RealtimeWork {
    return { ...this.#sum, stored: this.#stored.sum };
  }

  add(identity: ReceiptIdentity, receipt: MeasuredReceipt): void {
    const sum = this.#sum;
    sum.receipts++;
    sum.read_units += this.#readUnits(receipt);
    const all = embeddingItems({ ...receipt.rows, labels: [] }, undefined, 'realtime');
    const lines = all.lines.filter(isTried);
    const words = all.words.filter(isTried);
    const items = [...lines, ...words];
    const inputs = [...new Set(items.map(({ input }) => input))];
    const tokens = inputs.map((input) => receipt.tokensOf(input));
    if (tokens.includes(undefined)) {
      sum.refused_receipts++;
      return;
    }
    sum.lines += lines.length;
    sum.words += words.length;
    this.#stored.add(lines);
    this.#stored.add(words);
    sum.openai_requests += packRequests(inputs).length;
    sum.prompt_tokens += tokens.reduce<number>((total, count = 0) => total + count, 0);
    const changed = items.filter(({ entity }) => entity.embedding_status !== 'SUCCESS');
    sum.rows_written += changed.length + 1 + RECEIPT_RECORD.writes;
    sum.write_units += runUnits(identity) + RECEIPT_RECORD.writes * recordUnits();
    for (const { id, entity } of changed) {
      sum.write_units += receipt.statusChangeUnits(id, entity.embedding_status, 'SUCCESS');
    }
  }

  /** Found by its rows of a status; then its lines, words, labels, metadata and recorded runs are read. */
  #readUnits(receipt: MeasuredReceipt): number {
    const { letters_per_word, letter_bytes } = this.#assumptions;
    const letters = receipt.rows.words.length * letters_per_word * letter_bytes;
    return (
      listingUnits(receipt, this.#status) +
      receipt.textReadUnits +
      readUnits(receipt.lineBytes + receipt.wordBytes + letters) +
      readUnits(0) +
      RECEIPT_RECORD.reads * readUnits(0, 'strong')
    );
  }
}

/** A receipt's share of listing rows by their status: pages are much larger than a receipt, so nothing is rounded up. */
export function listingUnits(receipt: MeasuredReceipt, status: EmbeddingStatus): number {
  return receipt.bytesWithStatus(status) / 4_096 / 2;
}

/** Nothing tries again what is FAILED, unless it is asked to. */
function isTried({ entity }: { readonly entity: Pick<ReceiptLine, 'embedding_status'> }): boolean {
  return entity.embedding_status !== 'FAILED';
}

/** What is recorded of a receipt, of one run in two stores. Every run id is as long as this one. */
export function recordUnits(): number {
  const receipt = { image_id: NO_ID, receipt_id: 1 };
  const collection = { digest: '0'.repeat(32), vectors: 100 };
  const at = toTimestamp(new Date(0));
  const run: LoggedRun = {
    run_id: NO_ID,
    path: 'realtime',
    format: 1,
    model: 'text-embedding-3-small',
    dimensions: 1_536,
    whole: true,
    lines: collection,
    words: collection,
    refused: [],
    refused_count: 0,
    forced_by: null,
    written_by: NO_ID,
    created_at: at,
  };
  const stores = ['0', '1'].map((name) => name.repeat(STORE_IDENTITY));
  const record = withRun(unknownReceipt(receipt), run, { writer: NO_ID, now: at, stores });
  return insertUnits(measureRow(z.encode(embeddedReceiptCodec, record)));
}

const NO_ID = '00000000-0000-4000-8000-000000000000';

/** Characters of a store's identity: an index's ARN. */
const STORE_IDENTITY = 120;

/** The record of a run. Every run id is as long as this one. */
function runUnits(receipt: ReceiptIdentity): number {
  const run = newCompactionRun(receipt, NO_ID, new Date(0));
  return insertUnits(measureRow(z.encode(compactionRunCodec, run)));
}

export interface RealtimeSettings {
  /** Receipts at a time. */
  readonly maxConcurrency: number;
  readonly childExecutionType: 'STANDARD' | 'EXPRESS';
}

/** Seconds that all receipts take together, one after the other. */
function receiptSeconds({ receipts, openai_requests, lines, words }: RealtimeWork): number {
  const { seconds, per_request, per_vector } = FUNCTIONS.process_receipt_realtime;
  return receipts * seconds + openai_requests * per_request + (lines + words) * per_vector;
}

/** Seconds that one run takes before and after its receipts: they are listed, and their results added up. */
function runSeconds({ receipts }: RealtimeWork): { find: number; summarize: number } {
  const { find_receipts_realtime: find, summarize_execution: summarize } = FUNCTIONS;
  return {
    find: find.seconds + receipts * find.per_receipt,
    summarize: summarize.seconds + receipts * summarize.per_receipt,
  };
}

/** What one execution of the realtime workflow takes of each service; nothing when there is nothing to do. */
export function realtimeQuantities(
  work: RealtimeWork,
  { maxConcurrency, childExecutionType }: RealtimeSettings,
  { realtime: transitions }: Transitions,
  assumptions: Assumptions,
): Quantities | undefined {
  const { receipts } = work;
  if (receipts === 0) return undefined;
  const once = (name: FunctionName, seconds: number): Invocations => ({
    name,
    count: 1,
    seconds,
    environments: 1,
  });
  const run = runSeconds(work);
  const seconds = receiptSeconds(work);
  const express = childExecutionType === 'EXPRESS';
  return {
    openai_requests: work.openai_requests,
    prompt_tokens: work.prompt_tokens,
    ...functionQuantities(
      [
        once('find_receipts_realtime', run.find),
        {
          name: 'process_receipt_realtime',
          count: receipts,
          seconds,
          environments: maxConcurrency,
        },
        once('summarize_execution', run.summarize),
      ],
      assumptions,
    ),
    state_transitions: transitions.execution + (express ? 0 : receipts * transitions.receipt),
    express_executions: express ? receipts : 0,
    express_gb_seconds: express ? (seconds * EXPRESS_MEMORY_MB) / 1_024 : 0,
    dynamodb_write_units: work.write_units,
    dynamodb_read_units: work.read_units,
    // The list of receipts; two deltas of each receipt that is embedded.
    s3_puts: 1 + 2 * (receipts - work.refused_receipts) + MAP_FILES.puts,
    // Whether a try that died has left a delta: each is asked for before anything is bought.
    s3_gets: 2 * (receipts - work.refused_receipts) + MAP_FILES.gets + SUMMARY_GETS,
    stored: work.stored,
  };
}

/** How long something may take, seconds. */
export interface TimeRange {
  readonly low: number;
  readonly high: number;
}

export const NO_TIME: TimeRange = { low: 0, high: 0 };

/** Receipts at a time, each for as long as assumed, but no faster than OpenAI answers an account; or twice as long. */
export function realtimeTime(
  work: RealtimeWork,
  maxConcurrency: number,
  assumptions: Assumptions,
): TimeRange {
  if (work.receipts === 0) return NO_TIME;
  const run = runSeconds(work);
  const atATime = Math.min(maxConcurrency, work.receipts);
  const low =
    run.find +
    run.summarize +
    Math.max(
      receiptSeconds(work) / atATime,
      (60 * work.prompt_tokens) / assumptions.openai_tokens_per_minute,
      (60 * work.openai_requests) / assumptions.openai_requests_per_minute,
    );
  return { low, high: assumptions.slowest * low };
}
