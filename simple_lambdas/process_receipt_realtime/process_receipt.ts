import { contentPart, contentRunId, repeatedId } from 'receipt-embedding/embeddings/content_id';
import { type Embedder, RememberingEmbedder } from 'receipt-embedding/embeddings/embedder';
import {
  embeddingItems,
  type EmbeddingItems,
  isEmbeddable,
} from 'receipt-embedding/embeddings/embedding_items';
import { type CompactionRun, newCompactionRun } from 'receipt-embedding/entities/compaction_run';
import {
  type ReceiptIdentity,
  receiptIdentitySchema,
  rowKey,
} from 'receipt-embedding/entities/keys';
import { InvalidReceiptData } from 'receipt-embedding/errors';
import {
  knownMerchant,
  type Merchant,
  type MerchantSource,
  resolveMerchant,
} from 'receipt-embedding/merchants/resolve_merchant';
import type { Clock, Logger, Metrics } from 'receipt-embedding/ports';
import { embeddingCost } from 'receipt-embedding/prices';
import type { VectorRun } from 'receipt-embedding/stores/deltas/delta_store';
import type { VectorRecord, VectorStore } from 'receipt-embedding/stores/vector_store';
import type { RecordedRun } from 'receipt-embedding/table/compaction_runs';
import type { StatusChanges, StatusHolder } from 'receipt-embedding/table/embedding_statuses';
import type { ReceiptContents } from 'receipt-embedding/table/receipt_contents';
import { z } from 'zod';

export const processReceiptInputSchema = z.object({
  ...receiptIdentitySchema.shape,
  /** Embed again although the same content is embedded already. */
  force: z.boolean().optional(),
  /** On whose behalf: one execution forces a receipt once, however often it tries. */
  execution_name: z.string().optional(),
});

export type ProcessReceiptInput = z.output<typeof processReceiptInputSchema>;

interface ReceiptCounts extends ReceiptIdentity {
  /** Lines and words that were read, noise too. */
  readonly lines_count: number;
  readonly words_count: number;
  /** Rows that could not be read, and were skipped and logged. */
  readonly invalid_rows: number;
}

export interface EmbeddedReceipt extends ReceiptCounts {
  readonly status: 'success';
  readonly run_id: string;
  /** Null when unknown; a receipt that is reused is not looked up again. */
  readonly merchant_name: string | null;
  readonly merchant_source: Merchant['source'];
  /** The same content was embedded before: nothing was written or paid for. */
  readonly reused: boolean;
  /** Written now, lines and words together. */
  readonly vectors: number;
  readonly openai_requests: number;
  readonly prompt_tokens: number;
  /** What became of the embedding statuses of its lines and words. */
  readonly statuses: StatusChanges;
}

export interface SkippedReceipt extends ReceiptCounts {
  readonly status: 'skipped';
  readonly reason: 'no_data';
}

export type ProcessReceiptOutput = EmbeddedReceipt | SkippedReceipt;

export interface ProcessReceiptPorts {
  readonly readReceipt: (receipt: ReceiptIdentity) => Promise<ReceiptContents>;
  /** The recorded runs of a receipt whose id begins so. */
  readonly findRuns: (receipt: ReceiptIdentity, idBeginning: string) => Promise<RecordedRun[]>;
  /** @returns false when the run is recorded already. */
  readonly recordRun: (run: CompactionRun) => Promise<boolean>;
  readonly markEmbedded: (holders: readonly StatusHolder[]) => Promise<StatusChanges>;
  readonly embedder: Embedder;
  /** Where the vectors of a run go. */
  readonly vectorsOf: (run: VectorRun) => VectorStore;
  readonly merchantSources: readonly MerchantSource[];
  readonly clock: Clock;
  /** Called with the run's id as soon as it is known. */
  readonly onRun: (runId: string) => void;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Embeds one receipt (docs/architecture.md). Every step may be repeated: ids come from the content, what is
 * written is written once, the record comes after the data that it speaks of, and the statuses after the record. So a
 * crash between any two steps loses nothing, and a retry does nothing twice.
 *
 * @throws the layer's errors; a receipt that fails has no status changed.
 */
export async function processReceipt(
  input: ProcessReceiptInput,
  ports: ProcessReceiptPorts,
  defaultExecutionName: string,
): Promise<ProcessReceiptOutput> {
  const receipt: ReceiptIdentity = { image_id: input.image_id, receipt_id: input.receipt_id };
  const contents = await ports.readReceipt(receipt);
  const counts: ReceiptCounts = {
    ...receipt,
    lines_count: contents.lines.length,
    words_count: contents.words.length,
    invalid_rows: contents.invalid_rows.length,
  };
  ports.metrics.count('InvalidRows', counts.invalid_rows);
  ports.metrics.count('IgnoredAttributes', contents.ignored_attributes);
  if (!contents.lines.some(isEmbeddable) && !contents.words.some(isEmbeddable)) {
    ports.metrics.count('ReceiptsSkipped', 1);
    return { status: 'skipped', reason: 'no_data', ...counts };
  }

  const known = knownMerchant(contents.metadata);
  const content = embeddingItems(contents, known, 'realtime');
  const forcedBy =
    input.force === true ? (input.execution_name ?? defaultExecutionName) : undefined;
  const { run, recorded } = await chooseRun(receipt, content, forcedBy, ports);
  ports.onRun(run.run_id);
  const embedder = new RememberingEmbedder(ports.embedder);
  const merchant: Merchant = recorded
    ? { name: known, source: known === undefined ? 'unknown' : 'metadata' }
    : await resolveMerchant(receipt, contents, contents.metadata, embedder, {
        sources: ports.merchantSources,
        logger: ports.logger,
        metrics: ports.metrics,
      });
  if (!recorded) {
    const items =
      merchant.name === known ? content : embeddingItems(contents, merchant.name, 'realtime');
    await embedRun(run, items, embedder, ports);
  }
  const statuses = await ports.markEmbedded(statusHolders(content));

  const vectors = recorded ? 0 : content.lines.length + content.words.length;
  ports.metrics.count(recorded ? 'ReceiptsReused' : 'ReceiptsEmbedded', 1);
  ports.metrics.count('VectorsWritten', vectors);
  const { prompt_tokens: tokens } = embedder.usage;
  ports.metrics.count('PromptTokens', tokens);
  ports.metrics.count('EstimatedCostUsd', embeddingCost(embedder.model, tokens, 'realtime') ?? 0);
  return {
    status: 'success',
    ...counts,
    run_id: run.run_id,
    merchant_name: merchant.name ?? null,
    merchant_source: merchant.source,
    reused: recorded,
    vectors,
    openai_requests: embedder.usage.requests,
    prompt_tokens: embedder.usage.prompt_tokens,
    statuses,
  };
}

/**
 * Under which id the receipt is embedded, and whether it has been already. A merchant that is looked up elsewhere is not a
 * part of the content: a lookup costs money and may fail, and neither must embed a receipt again.
 */
async function chooseRun(
  receipt: ReceiptIdentity,
  items: EmbeddingItems,
  forcedBy: string | undefined,
  { findRuns, embedder }: ProcessReceiptPorts,
): Promise<{ readonly run: VectorRun; readonly recorded: boolean }> {
  const contentId = contentRunId(items, embedder);
  const runs = await findRuns(receipt, contentPart(contentId));
  if (forcedBy !== undefined) {
    const run_id = repeatedId(contentId, `forced by ${forcedBy}`);
    return { run: { ...receipt, run_id }, recorded: runs.some((run) => run.run_id === run_id) };
  }
  const usable = runs.find(({ failed }) => !failed);
  if (usable !== undefined) return { run: { ...receipt, run_id: usable.run_id }, recorded: true };
  // A run that the compactor failed at stays as it is, and a new one takes its place.
  const run_id =
    runs.length === 0 ? contentId : repeatedId(contentId, `after ${runs.length} failed runs`);
  return { run: { ...receipt, run_id }, recorded: false };
}

/** One request for lines and words together, both deltas, then the record that points to them. */
async function embedRun(
  run: VectorRun,
  { lines, words }: EmbeddingItems,
  embedder: Embedder,
  { vectorsOf, recordRun, clock }: ProcessReceiptPorts,
): Promise<void> {
  const items = [...lines, ...words];
  const { vectors } = await embedder.embed(items.map(({ input }) => input));
  const records = items.map(({ id, metadata }, at): VectorRecord => {
    const vector = vectors[at];
    if (vector === undefined) throw new InvalidReceiptData(`${id} got no vector`);
    return { id, vector, metadata };
  });
  const store = vectorsOf(run);
  await Promise.all([
    store.upsert('lines', records.slice(0, lines.length)),
    store.upsert('words', records.slice(lines.length)),
  ]);
  await recordRun(newCompactionRun(run, run.run_id, clock()));
}

function statusHolders({ lines, words }: EmbeddingItems): StatusHolder[] {
  return [...lines, ...words].map(({ id, entity }) => ({
    ...rowKey(entity.image_id, id),
    text: entity.text,
    embedding_status: entity.embedding_status,
  }));
}
