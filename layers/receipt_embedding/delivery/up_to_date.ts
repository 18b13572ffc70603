import { type EmbeddingModel, isSameModel } from '../embeddings/embedder.ts';
import type { EmbeddedReceipt } from '../entities/embedded_receipt.ts';
import { allItems, COLLECTIONS, CONTENT_FORMAT, type ReceiptContent } from './receipt_content.ts';

/** Longer than Lambda's longest: whoever has left a mark before that is dead. */
export const MARK_LIFE_MS = 16 * 60_000;

/** Whether the log's newest runs are of exactly this content, so that no older one matters. */
export function logHolds(
  record: EmbeddedReceipt,
  { items, digests }: ReceiptContent,
  model: EmbeddingModel,
): boolean {
  return COLLECTIONS.every((collection) => {
    const runs = record.runs.filter((run) => run[collection] !== null);
    const [newest] = runs;
    if (newest === undefined) return items[collection].length === 0;
    return (
      runs.length === 1 &&
      newest[collection]?.digest === digests[collection] &&
      newest.format === CONTENT_FORMAT &&
      isSameModel(newest, model)
    );
  });
}

/** Whether each of these stores has the recorded runs, and nothing else. */
export function storesHave(record: EmbeddedReceipt, stores: readonly string[]): boolean {
  const runs = record.runs.map(({ run_id }) => run_id);
  return stores.every((store) => {
    const { has = [], begun = [] } = record.stores[store] ?? {};
    return begun.length === 0 && has.length === runs.length && runs.every((id) => has.includes(id));
  });
}

/** Marks of writers who are dead by now, and the writer's own of an earlier try: what they wrote may have covered something newer. */
export function deadMarks({ marks }: EmbeddedReceipt, writer: string, now: Date): string[] {
  return Object.entries(marks)
    .filter(([mark, since]) => mark === writer || isDead(since, now))
    .map(([mark]) => mark);
}

function isDead(since: string, now: Date): boolean {
  return now.getTime() - Date.parse(since) > MARK_LIFE_MS;
}

/** Whether a line or word was refused, and its row says that it is to be tried again. */
export function retryWanted(record: EmbeddedReceipt, content: ReceiptContent): boolean {
  const open = allItems(content).filter(
    ({ entity: { embedding_status: status } }) => status !== 'FAILED' && status !== 'SUCCESS',
  );
  return record.runs.some(({ refused, refused_count }) => {
    const ids = new Set(refused.map(({ id }) => id));
    return refused_count > refused.length ? open.length > 0 : open.some(({ id }) => ids.has(id));
  });
}
