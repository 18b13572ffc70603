import type { DeliveryPorts } from 'receipt-embedding/delivery/delivery_ports';
import { type Delivery, deliverReceipt } from 'receipt-embedding/delivery/deliver_receipt';
import { allItems } from 'receipt-embedding/delivery/receipt_content';
import {
  type ReceiptIdentity,
  receiptIdentitySchema,
  rowKey,
} from 'receipt-embedding/entities/keys';
import type { Merchant } from 'receipt-embedding/merchants/resolve_merchant';
import type { Metrics } from 'receipt-embedding/ports';
import { embeddingCost } from 'receipt-embedding/prices';
import type { StatusChanges, StatusHolder } from 'receipt-embedding/table/embedding_statuses';
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
  /** Vectors taken out of the stores because their lines and words are gone. */
  readonly removed: number;
}

export interface ProcessedReceipt extends ReceiptCounts {
  readonly status: 'success';
  readonly run_id: string;
  /** Null when unknown; a receipt that is reused is not looked up again. */
  readonly merchant_name: string | null;
  readonly merchant_source: Merchant['source'];
  /** The log had the same content: nothing was bought. Stores that lacked it have it now. */
  readonly reused: boolean;
  /** Of the new run, lines and words together. */
  readonly vectors: number;
  /** Written to stores, over all of them. */
  readonly upserted: number;
  readonly openai_requests: number;
  readonly prompt_tokens: number;
  /** What became of the embedding statuses of its lines and words. */
  readonly statuses: StatusChanges;
  /** Lines and words that are FAILED, because OpenAI or a store refused them. */
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

export interface SkippedReceipt extends ReceiptCounts {
  readonly status: 'skipped';
  /** `no_data`: nothing to embed. `gone`: nothing any more, and its vectors were removed. */
  readonly reason: 'no_data' | 'gone';
}

export type ProcessReceiptOutput = ProcessedReceipt | SkippedReceipt;

export interface ProcessReceiptPorts extends DeliveryPorts {
  /** Sets embedding statuses, each only while its row still says what was asked for. */
  readonly mark: (
    holders: readonly StatusHolder[],
    status: 'SUCCESS' | 'FAILED',
  ) => Promise<StatusChanges>;
  readonly metrics: Metrics;
}

/**
 * Embeds one receipt (docs/architecture.md): its vectors into the log and every store, then the statuses of its lines and words. What OpenAI
 * or a store refuses for itself is FAILED, and all else is embedded.
 *
 * @throws the layer's errors. A receipt that fails before its statuses has none changed; one that fails among them has some changed,
 * each of which is true: the log and the stores hold it.
 */
export async function processReceipt(
  input: ProcessReceiptInput,
  ports: ProcessReceiptPorts,
  defaultExecutionName: string,
): Promise<ProcessReceiptOutput> {
  const receipt: ReceiptIdentity = { image_id: input.image_id, receipt_id: input.receipt_id };
  const { metrics } = ports;
  const forcedBy =
    input.force === true ? (input.execution_name ?? defaultExecutionName) : undefined;
  const delivery = await deliverReceipt(receipt, forcedBy, ports);
  const { contents, outcome, run_id, merchant, usage } = delivery;
  const counts: ReceiptCounts = {
    ...receipt,
    lines_count: contents.lines.length,
    words_count: contents.words.length,
    invalid_rows: contents.invalid_rows.length,
    removed: delivery.removed,
  };
  metrics.count('InvalidRows', counts.invalid_rows);
  metrics.count('IgnoredAttributes', contents.ignored_attributes);
  metrics.count('VectorsRemoved', counts.removed);
  if (run_id === null) {
    metrics.count('ReceiptsSkipped', 1);
    return { status: 'skipped', reason: outcome === 'removed' ? 'gone' : 'no_data', ...counts };
  }
  const { refusals, statuses } = await markAll(delivery, ports);
  const reused = outcome === 'reused';
  metrics.count(reused ? 'ReceiptsReused' : 'ReceiptsEmbedded', 1);
  metrics.count('VectorsWritten', delivery.vectors);
  metrics.count('PromptTokens', usage.prompt_tokens);
  const { model } = ports.embedder;
  metrics.count('EstimatedCostUsd', embeddingCost(model, usage.prompt_tokens, 'realtime') ?? 0);
  return {
    status: 'success',
    ...counts,
    run_id,
    merchant_name: merchant.name ?? null,
    merchant_source: merchant.source,
    reused,
    vectors: delivery.vectors,
    upserted: delivery.upserted,
    openai_requests: usage.requests,
    prompt_tokens: usage.prompt_tokens,
    statuses,
    refused: refusals.length,
    refusals: refusals.slice(0, REFUSALS_SHOWN),
  };
}

/** Sets the statuses of all that was delivered, where they are not so already. */
async function markAll(
  { content, refused }: Delivery,
  { mark, logger }: ProcessReceiptPorts,
): Promise<{ readonly refusals: readonly Refusal[]; readonly statuses: StatusChanges }> {
  const items = allItems(content);
  const failed = items.filter(({ id }) => refused.has(id));
  const refusals = failed.map(({ id }) => ({ id, reason: refused.get(id)?.reason ?? '' }));
  const isNew = failed.some(({ entity }) => entity.embedding_status !== 'FAILED');
  for (const refusal of isNew ? refusals.slice(0, REFUSALS_SHOWN) : []) {
    logger.warn('a line or word was refused, and is FAILED now', { ...refusal });
  }
  const holders = (of: typeof items): StatusHolder[] =>
    of.map(({ id, entity }) => ({
      ...rowKey(entity.image_id, id),
      text: entity.text,
      embedding_status: entity.embedding_status,
      ...(entity.status_missing === undefined ? {} : { status_missing: true }),
    }));
  const embedded = await mark(holders(items.filter(({ id }) => !refused.has(id))), 'SUCCESS');
  const marked = await mark(holders(failed), 'FAILED');
  return { refusals, statuses: sum(embedded, marked) };
}

function sum(a: StatusChanges, b: StatusChanges): StatusChanges {
  return {
    changed: a.changed + b.changed,
    unchanged: a.unchanged + b.unchanged,
    deleted: a.deleted + b.deleted,
    edited: a.edited + b.edited,
  };
}
