import {
  contentPart,
  contentRunId,
  isPartial,
  isPartialOf,
  partialId,
  repeatedId,
} from 'receipt-embedding/embeddings/content_id';
import { type Embedder, RememberingEmbedder } from 'receipt-embedding/embeddings/embedder';
import {
  embeddingItems,
  type EmbeddingItems,
  isEmbeddable,
  type LineItem,
  type WordItem,
} from 'receipt-embedding/embeddings/embedding_items';
import { embedEach } from 'receipt-embedding/embeddings/refused_inputs';
import { type CompactionRun, newCompactionRun } from 'receipt-embedding/entities/compaction_run';
import {
  type ReceiptIdentity,
  receiptIdentitySchema,
  rowKey,
} from 'receipt-embedding/entities/keys';
import {
  knownMerchant,
  type Merchant,
  type MerchantSource,
  resolveMerchant,
} from 'receipt-embedding/merchants/resolve_merchant';
import type { Clock, Logger, Metrics } from 'receipt-embedding/ports';
import { embeddingCost } from 'receipt-embedding/prices';
import { allSettled } from 'receipt-embedding/settled_map';
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
  /** Lines and words whose input OpenAI refused now: they alone are FAILED. */
  readonly refused: number;
  /** The first 5 of them: a state's payload is small. */
  readonly refusals: readonly Refusal[];
}

/** A line or word that is FAILED, and why. */
export interface Refusal {
  /** Its key. */
  readonly id: string;
  readonly reason: string;
}

const REFUSALS_SHOWN = 5;
const REASON_CHARACTERS = 200;

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
  /** Sets embedding statuses, each only while its row still says what was asked for. */
  readonly mark: (
    holders: readonly StatusHolder[],
    status: 'SUCCESS' | 'FAILED',
  ) => Promise<StatusChanges>;
  readonly embedder: Embedder;
  /** Where the vectors of a run go. */
  readonly vectorsOf: (run: VectorRun) => Pick<VectorStore, 'upsert'>;
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
 * What OpenAI refuses for itself is FAILED, and all else is embedded. That is marked before the record, so that a later run of the
 * same content knows what the recorded one lacks: it sends nothing again, and leaves FAILED what is FAILED.
 *
 * @throws the layer's errors. A receipt that fails before its statuses has none changed; one that fails among them has some changed,
 * each of which is true: the record holds it.
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
  const chosen = await chooseRun(receipt, content, forcedBy, ports);
  const { recorded } = chosen;
  ports.onRun(chosen.run.run_id);
  const embedder = new RememberingEmbedder(ports.embedder);
  const merchant: Merchant = recorded
    ? { name: known, source: known === undefined ? 'unknown' : 'metadata' }
    : await resolveMerchant(receipt, contents, contents.metadata, embedder, {
        sources: ports.merchantSources,
        logger: ports.logger,
        metrics: ports.metrics,
      });
  let embedded: EmbeddedRun = { run: chosen.run, lacks: chosen.lacks, refusals: [], vectors: 0 };
  if (!recorded) {
    const items =
      merchant.name === known ? content : embeddingItems(contents, merchant.name, 'realtime');
    embedded = await embedRun(chosen.run, items, embedder, ports);
  }
  const { run, lacks, refusals, vectors } = embedded;
  const statuses = await ports.mark(
    statusHolders(allItems(content).filter(({ id }) => !lacks.has(id))),
    'SUCCESS',
  );

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
    refused: refusals.length,
    refusals: refusals.slice(0, REFUSALS_SHOWN),
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
): Promise<ChosenRun> {
  const contentId = contentRunId(items, embedder);
  const runs = await findRuns(receipt, contentPart(contentId));
  const failed = allItems(items)
    .filter(({ entity }) => entity.embedding_status === 'FAILED')
    .map(({ id }) => id);
  const reuse = ({ run_id }: RecordedRun): ChosenRun => ({
    run: { ...receipt, run_id },
    recorded: true,
    lacks: new Set(isWhole(run_id, contentId) ? [] : failed),
  });
  const embed = (run_id: string): ChosenRun => ({
    run: { ...receipt, run_id },
    recorded: false,
    lacks: new Set(),
  });
  if (forcedBy !== undefined) {
    const run_id = repeatedId(contentId, `forced by ${forcedBy}`);
    const ids = [run_id, partialId(run_id, failed)];
    const own = runs.find((run) => ids.includes(run.run_id));
    return own === undefined ? embed(run_id) : reuse(own);
  }
  // A run that lacks something else than what is FAILED now is of before a `redo`: what it lacks is to be tried again.
  const usable = runs.find(
    (run) => !run.failed && (isWhole(run.run_id, contentId) || isPartialOf(run.run_id, failed)),
  );
  if (usable !== undefined) return reuse(usable);
  // A run that the compactor failed at stays as it is, and a new one takes its place.
  const broken = runs.filter((run) => run.failed).length;
  return embed(broken === 0 ? contentId : repeatedId(contentId, `after ${broken} failed runs`));
}

/** Whether a run of this content has all of it. */
function isWhole(runId: string, contentId: string): boolean {
  return runId === contentId || !isPartial(runId);
}

interface ChosenRun {
  readonly run: VectorRun;
  readonly recorded: boolean;
  /** What a recorded run does not have, because it was refused. */
  readonly lacks: ReadonlySet<string>;
}

/** What became of a run. */
interface EmbeddedRun {
  readonly run: VectorRun;
  readonly lacks: ReadonlySet<string>;
  readonly refusals: readonly Refusal[];
  readonly vectors: number;
}

/**
 * One request for lines and words together, both deltas, then the record that points to them. A run that lacks something has an id of
 * its own.
 */
async function embedRun(
  whole: VectorRun,
  items: EmbeddingItems,
  embedder: RememberingEmbedder,
  { vectorsOf, recordRun, mark, clock, onRun, logger }: ProcessReceiptPorts,
): Promise<EmbeddedRun> {
  const inputs = allItems(items).map(({ input }) => input);
  const { vectors, refusals: reasons } = await embedEach(embedder, inputs);
  const vectorOf = new Map(inputs.map((input, at) => [input, vectors[at]]));
  const records = (list: readonly (LineItem | WordItem)[]): VectorRecord[] =>
    list.flatMap(({ id, input, metadata }) => {
      const vector = vectorOf.get(input);
      return vector === undefined ? [] : [{ id, vector, metadata }];
    });
  const refused = allItems(items).filter(({ input }) => vectorOf.get(input) === undefined);
  const refusals = refused.map(({ id, input }) => ({
    id,
    reason: (reasons.get(input) ?? '').slice(0, REASON_CHARACTERS),
  }));
  const lacks = new Set(refused.map(({ id }) => id));
  const run = lacks.size === 0 ? whole : { ...whole, run_id: partialId(whole.run_id, [...lacks]) };
  const [lines, words] = [records(items.lines), records(items.words)];
  const store = vectorsOf(run);
  await allSettled([store.upsert('lines', lines), store.upsert('words', words)]);
  if (lacks.size > 0) {
    onRun(run.run_id);
    for (const refusal of refusals.slice(0, REFUSALS_SHOWN)) {
      logger.warn('OpenAI refused a line or word, which is FAILED now', { ...refusal });
    }
    await mark(statusHolders(refused), 'FAILED');
  }
  await recordRun(newCompactionRun(run, run.run_id, clock()));
  return { run, lacks, refusals, vectors: lines.length + words.length };
}

function allItems({ lines, words }: EmbeddingItems): (LineItem | WordItem)[] {
  return [...lines, ...words];
}

function statusHolders(items: readonly (LineItem | WordItem)[]): StatusHolder[] {
  return items.map(({ id, entity }) => ({
    ...rowKey(entity.image_id, id),
    text: entity.text,
    embedding_status: entity.embedding_status,
  }));
}
