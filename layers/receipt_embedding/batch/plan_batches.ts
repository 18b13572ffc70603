import { pMapIterable } from 'p-map';
import type { EmbeddingModel } from '../embeddings/embedder.ts';
import { embeddingItems, type ReceiptText } from '../embeddings/embedding_items.ts';
import { repeatedId } from '../embeddings/content_id.ts';
import {
  ENDED_BATCH_STATUSES,
  type BatchStatus,
  type BatchType,
} from '../entities/batch_summary.ts';
import type { ReceiptIdentity } from '../entities/keys.ts';
import type { ReceiptLine } from '../entities/receipt_line.ts';
import type { ReceiptWord } from '../entities/receipt_word.ts';
import { BatchPacker, type BatchLimits, type PackedBatch } from './batch_packer.ts';
import type { PlannedEntity } from './planned_entity.ts';

export interface PlanSettings {
  readonly types: readonly BatchType[];
  readonly model: EmbeddingModel;
  readonly limits: BatchLimits;
  /** At most so many receipts that have something to embed. */
  readonly mostReceipts: number | undefined;
}

export interface PlanPorts {
  /** In an order that is always the same, so that planning twice plans the same. */
  readonly receipts: AsyncIterable<ReceiptIdentity>;
  readonly readText: (receipt: ReceiptIdentity) => Promise<Omit<ReceiptText, 'labels'>>;
}

export interface PlannedReceipts {
  receipts: number;
  /** Whether `mostReceipts` left any out. */
  more: boolean;
}

/** Reads several receipts at a time, and few ahead. */
const READING = { concurrency: 16, backpressure: 64 } as const;

/**
 * Packs all lines and words that are to do into batches, one after the other: only those that are being packed are in memory.
 *
 * @param planned counts what went in.
 */
export async function* planBatches(
  { types, model, limits, mostReceipts = Infinity }: PlanSettings,
  { receipts, readText }: PlanPorts,
  planned: PlannedReceipts,
): AsyncGenerator<PackedBatch> {
  const packers = types.map((type) => ({ type, packer: new BatchPacker(type, model, limits) }));
  const texts = pMapIterable(receipts, readText, READING);
  for await (const text of texts) {
    const wanted = entitiesToDo(text);
    if (types.every((type) => wanted[type].length === 0)) continue;
    if (planned.receipts === mostReceipts) {
      planned.more = true;
      break;
    }
    planned.receipts++;
    for (const { type, packer } of packers) yield* packer.add(wanted[type]);
  }
  for (const { packer } of packers) yield* packer.end();
}

/** What of a receipt has the status NONE; noise and blanks are never embedded. */
export function entitiesToDo(
  text: Omit<ReceiptText, 'labels'>,
): Record<BatchType, PlannedEntity[]> {
  const { lines, words } = embeddingItems({ ...text, labels: [] }, undefined, 'batch');
  return { LINE_EMBEDDING: wanted(lines), WORD_EMBEDDING: wanted(words) };
}

function wanted(
  items: readonly {
    readonly id: string;
    readonly entity: ReceiptLine | ReceiptWord;
    readonly input: string;
  }[],
): PlannedEntity[] {
  return items
    .filter(({ entity }) => entity.embedding_status === 'NONE')
    .map(({ id, entity, input }) => ({ custom_id: id, text: entity.text, input }));
}

/**
 * The id under which a content is submitted: its own or, where a batch of that id has ended already without embedding all of
 * it, the next one. A batch that has not ended keeps its id: whoever submits it finds it there.
 */
export async function batchIdOf(
  contentId: string,
  statusOf: (batchId: string) => Promise<BatchStatus | undefined>,
): Promise<string> {
  let id = contentId;
  for (let earlier = 1; ; earlier++) {
    const status = await statusOf(id);
    if (status === undefined || !isEnded(status)) return id;
    id = repeatedId(contentId, `after ${earlier} batches`);
  }
}

export function isEnded(status: BatchStatus): boolean {
  return (ENDED_BATCH_STATUSES as readonly BatchStatus[]).includes(status);
}
