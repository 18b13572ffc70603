import { partition } from 'receipt-embedding/batches/collect_results';
import {
  BatchPacker,
  entitiesToDo,
  OPENAI_BATCH_LIMITS,
  type PackedBatch,
} from 'receipt-embedding/batches/plan_batches';
import type { EmbeddingModel } from 'receipt-embedding/embeddings/embedder';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import {
  type BatchType,
  collectionOfBatch,
  embeddingBatchResultCodec,
} from 'receipt-embedding/entities/batch';
import { z } from 'zod';
import {
  type Assumptions,
  BATCH_FILES,
  BATCH_RECORD,
  BATCHES_OF_AN_EXECUTION,
  type FunctionName,
  FUNCTIONS,
  MAP_FILES,
  RECEIPT_RECORD,
  SUMMARY_GETS,
} from './assumptions.ts';
import { functionQuantities, type Invocations, type Quantities } from './costs.ts';
import { insertUnits, type MeasuredReceipt, measureRow, readUnits } from './measured_receipt.ts';
import { listingUnits, NO_TIME, recordUnits, type TimeRange } from './realtime_path.ts';
import type { Transitions } from './transitions.ts';
import { type StoredBytes, StoredBytesCounter } from './vector_stores.ts';

/** What the batch path has to do, counted. */
export interface BatchWork {
  /** With a line or word to embed. */
  readonly receipts: number;
  readonly lines: number;
  readonly words: number;
  /** Lines and words whose input OpenAI refuses because of its length: they fail. */
  readonly refused_inputs: number;
  readonly batches: number;
  /** The parts that the batches' results are ingested in. */
  readonly parts: number;
  /** Deltas of the log: one of each receipt's lines, and one of its words. */
  readonly deltas: number;
  readonly prompt_tokens: number;
  /** Rows of the table that are written for lines and words, and DynamoDB's units for it. */
  readonly rows_written: number;
  readonly write_units: number;
  readonly read_units: number;
  /** What each vector store is given. */
  readonly stored: StoredBytes;
}

interface BatchSettings {
  readonly types: readonly BatchType[];
  readonly model: EmbeddingModel;
  /** What a batch may hold of tokens, by their upper bound. */
  readonly batchMaxTokens: number;
}

/**
 * Counts what the batch path does with each receipt that it is given, in their order: it embeds the lines and words with the
 * status NONE that are not noise and not blank, one request each, packed into batches.
 */
export class BatchCounter {
  readonly #settings: BatchSettings;
  readonly #assumptions: Assumptions;
  readonly #packers: readonly { readonly type: BatchType; readonly packer: BatchPacker }[];
  readonly #sum = {
    receipts: 0,
    lines: 0,
    words: 0,
    refused_inputs: 0,
    batches: 0,
    parts: 0,
    deltas: 0,
    prompt_tokens: 0,
    rows_written: 0,
    write_units: 0,
    read_units: 0,
  };
  readonly #stored: StoredBytesCounter;

  constructor(settings: BatchSettings, assumptions: Assumptions) {
    this.#settings = settings;
    this.#stored = new StoredBytesCounter(settings.model.dimensions);
    this.#assumptions = assumptions;
    const limits = { ...OPENAI_BATCH_LIMITS, tokens: settings.batchMaxTokens };
    this.#packers = settings.types.map((type) => ({
      type,
      packer: new BatchPacker(type, settings.model, limits),
    }));
  }

  add(receipt: MeasuredReceipt): void {
    const sum = this.#sum;
    // Whatever is to do of it, planning reads it.
    sum.read_units += listingUnits(receipt, 'NONE') + receipt.textReadUnits;
    const wanted = entitiesToDo(receipt.rows);
    const types = this.#settings.types.filter((type) => wanted[type].length > 0);
    if (types.length === 0) return;
    sum.receipts++;
    for (const type of types) {
      sum[collectionOfBatch(type)] += wanted[type].length;
      sum.read_units += this.#ingestionReadUnits(receipt) + RECEIPT_RECORD.reads;
      sum.deltas++;
      sum.rows_written += RECEIPT_RECORD.writes;
      sum.write_units += RECEIPT_RECORD.writes * recordUnits();
      for (const { custom_id, input } of wanted[type]) {
        const tokens = receipt.tokensOf(input);
        if (tokens === undefined) sum.refused_inputs++;
        else sum.prompt_tokens += tokens;
        this.#addSettling(receipt, custom_id, tokens !== undefined);
      }
    }
    this.#addItems(
      receipt,
      new Set(types.flatMap((type) => wanted[type].map((one) => one.custom_id))),
    );
    for (const { type, packer } of this.#packers) this.#addBatches(packer.add(wanted[type]));
  }

  /** @returns the sums, once all receipts were added. */
  end(): BatchWork {
    for (const { packer } of this.#packers) this.#addBatches(packer.end());
    return { ...this.#sum, stored: this.#stored.sum };
  }

  #addBatches(batches: readonly PackedBatch[]): void {
    for (const { entities } of batches) {
      this.#sum.batches++;
      this.#sum.parts += partition(entities.map(({ custom_id }) => custom_id)).length;
    }
  }

  /** Claimed, then settled. */
  #addSettling(receipt: MeasuredReceipt, id: string, embedded: boolean): void {
    this.#sum.rows_written += 2;
    this.#sum.write_units +=
      receipt.statusChangeUnits(id, 'NONE', 'PENDING') +
      receipt.statusChangeUnits(id, 'PENDING', embedded ? 'SUCCESS' : 'FAILED');
  }

  /** The vectors and the result rows. */
  #addItems(receipt: MeasuredReceipt, wanted: ReadonlySet<string>): void {
    const { lines, words } = embeddingItems({ ...receipt.rows, labels: [] }, undefined, 'batch');
    this.#stored.add(lines.filter(({ id }) => wanted.has(id)));
    this.#stored.add(words.filter(({ id }) => wanted.has(id)));
    for (const { id, entity } of [...lines, ...words]) {
      if (!wanted.has(id)) continue;
      const result = measureRow(
        z.encode(embeddingBatchResultCodec, {
          // As long as any.
          batch_id: '00000000-0000-4000-8000-000000000000',
          image_id: entity.image_id,
          pinecone_id: id,
          text: entity.text,
          status: 'SUCCESS',
          error_message: null,
        }),
      );
      this.#sum.rows_written++;
      this.#sum.write_units += insertUnits(result);
      // The end of a batch reads them all, consistently.
      this.#sum.read_units += result.bytes / 4_096;
    }
  }

  /** Once a part, with labels and metadata: what the stores get and the table is told follows from that. */
  #ingestionReadUnits(receipt: MeasuredReceipt): number {
    const { letters_per_word, letter_bytes } = this.#assumptions;
    const letters = receipt.rows.words.length * letters_per_word * letter_bytes;
    return (
      receipt.textReadUnits +
      readUnits(receipt.lineBytes + receipt.wordBytes + letters) +
      readUnits(0)
    );
  }
}

/** How often what is done. */
interface BatchExecutions {
  readonly submits: number;
  /** Polls that find batches running, and one that finds them done. */
  readonly polls: number;
  /** How often a batch was found running. */
  readonly runningBatches: number;
  /** To how many stores each part is written. */
  readonly stores: number;
}

/** What the batch path takes of each service, from the plan to the last result; nothing when there is nothing to do. */
export function batchQuantities(
  work: BatchWork,
  { submit, poll }: Transitions,
  stores: number,
  assumptions: Assumptions,
): Quantities | undefined {
  const { batches, parts } = work;
  if (batches === 0) return undefined;
  const submits = Math.ceil(batches / BATCHES_OF_AN_EXECUTION);
  const running = assumptions.polls_while_running;
  const executions = { submits, polls: running + 1, runningBatches: running * batches, stores };
  return {
    openai_requests: work.lines + work.words,
    prompt_tokens: work.prompt_tokens,
    ...functionQuantities(invocations(work, executions), assumptions),
    state_transitions:
      submits * submit.execution +
      batches * submit.batch +
      executions.polls * poll.execution +
      executions.runningBatches * poll.running +
      batches * poll.ingested +
      parts * poll.part,
    express_executions: 0,
    express_gb_seconds: 0,
    dynamodb_write_units:
      work.write_units + BATCH_RECORD.units_of_a_write * recordRequests(work, executions, 'writes'),
    dynamodb_read_units: work.read_units + recordRequests(work, executions, 'reads'),
    ...s3Requests(work, executions),
    stored: work.stored,
  };
}

/** Submitting, what OpenAI takes for a batch, and ingesting; several batches at a time. */
export function batchTime(
  work: BatchWork,
  maxConcurrency: number,
  stores: number,
  { batch_seconds, slowest }: Assumptions,
): TimeRange {
  if (work.batches === 0) return NO_TIME;
  const once = { submits: 1, polls: 0, runningBatches: 0, stores };
  const seconds = invocations(work, once)
    .filter(({ name }) => FUNCTIONS_OF_A_BATCH.has(name))
    .reduce((sum, invoked) => sum + invoked.seconds, 0);
  const functions = seconds / Math.min(maxConcurrency, work.batches);
  return {
    low: batch_seconds.low + functions,
    high: batch_seconds.high + slowest * functions,
  };
}

const FUNCTIONS_OF_A_BATCH: ReadonlySet<FunctionName> = new Set([
  'plan_batches',
  'submit_batch',
  'download_batch_results',
  'log_batch_results',
  'upsert_to_store',
  'write_results_to_dynamo',
  'mark_batch_complete',
]);

/** A function whose time depends on how many lines and words it handles. */
type EntityFunction = {
  [Name in FunctionName]: (typeof FUNCTIONS)[Name] extends { per_entity: number } ? Name : never;
}[FunctionName];

/** Each with the seconds of all its invocations together. */
function invocations(
  { receipts, lines, words, batches, parts }: BatchWork,
  { submits, polls, runningBatches, stores }: BatchExecutions,
): readonly Invocations[] {
  const of = (name: FunctionName, count: number, variable = 0): Invocations => ({
    name,
    count,
    seconds: count * FUNCTIONS[name].seconds + variable,
    environments: count,
  });
  const forEntities = (name: EntityFunction, count: number): Invocations =>
    of(name, count, (lines + words) * FUNCTIONS[name].per_entity);
  return [
    of('plan_batches', submits, receipts * FUNCTIONS.plan_batches.per_receipt),
    forEntities('submit_batch', batches),
    of('summarize_execution', submits + polls),
    of('list_pending_batches', polls),
    of('get_batch_status', runningBatches + batches),
    forEntities('download_batch_results', batches),
    forEntities('log_batch_results', parts),
    ...Array.from({ length: stores }, () => forEntities('upsert_to_store', parts)),
    forEntities('write_results_to_dynamo', parts),
    forEntities('mark_batch_complete', batches),
  ];
}

/** Requests for the batches' own records. */
function recordRequests(
  { batches, parts }: BatchWork,
  { runningBatches, stores }: BatchExecutions,
  kind: 'writes' | 'reads',
): number {
  const { submit, ingestion, running_poll, part, store_of_a_part: store } = BATCH_RECORD;
  return (
    batches * (submit[kind] + ingestion[kind]) +
    runningBatches * running_poll[kind] +
    parts * (part[kind] + stores * store[kind])
  );
}

function s3Requests(
  { batches, parts, deltas }: BatchWork,
  { submits, polls, stores }: BatchExecutions,
): Pick<Quantities, 's3_puts' | 's3_gets'> {
  const executions = submits + polls;
  const { submit, ingestion, part } = BATCH_FILES;
  return {
    // One more for each execution's list.
    s3_puts:
      executions * (1 + MAP_FILES.puts) +
      batches * (submit.puts + ingestion.puts) +
      parts * (part.puts + part.log_puts + stores * part.store_puts) +
      deltas,
    s3_gets:
      executions * (MAP_FILES.gets + SUMMARY_GETS) +
      batches * (submit.gets + ingestion.gets) +
      parts * (part.gets + stores * part.store_gets),
  };
}
