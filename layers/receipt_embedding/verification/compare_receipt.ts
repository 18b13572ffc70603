import type { HeldVector, HeldVectors } from '../delivery/held_vectors.ts';
import { allItems, inputHash, type ReceiptContent } from '../delivery/receipt_content.ts';
import { deadMarks } from '../delivery/up_to_date.ts';
import type { EmbeddingModel } from '../embeddings/embedder.ts';
import type { LineItem, WordItem } from '../embeddings/embedding_items.ts';
import type { EmbeddedReceipt } from '../entities/embedded_receipt.ts';
import { type ReceiptIdentity, receiptPath } from '../entities/keys.ts';
import type { EmbeddingStatus } from '../entities/line_and_word.ts';
import type { StoredVector } from '../stores/vector_store.ts';
import { isSameMetadata, isStoredAsLogged } from './stored_as_logged.ts';

/** What may differ between the table, the records, the log and the stores, and what that means. */
export const DIFFERENCES = {
  success_without_vector: 'SUCCESS, but the log has no vector of it by the model of the stack',
  success_of_other_text: 'SUCCESS, but the vector of the log is of another text or context',
  success_of_other_metadata: 'SUCCESS, but its labels, place or merchant have changed since',
  store_lacks: 'SUCCESS, but a store lacks its vector',
  store_differs: 'a store has another vector or other metadata than the log',
  store_has_gone: 'a store has a vector of what is gone',
  delta_missing: 'a record names a run whose delta is missing',
  pending_without_batch: 'PENDING, but no live or parked batch has claimed it',
  claim_beside_status: 'the claim of a batch beside another status than PENDING',
  dead_mark: 'a mark was left by a writer who died',
  receipt_gone: 'a receipt is gone, but its record has runs',
  failed_without_reason: 'FAILED, and no reason is known (for information: nothing repairs it)',
} as const;

export type DifferenceKind = keyof typeof DIFFERENCES;

export interface Difference {
  readonly kind: DifferenceKind;
  /** A vector's id, or the receipt: `IMAGE#…#RECEIPT#…`. */
  readonly key: string;
  /** The identity of the store that differs. */
  readonly store?: string;
}

/** A line or word that is PENDING, or that bears the name of a batch. */
export interface ClaimedRow {
  readonly id: string;
  readonly status: EmbeddingStatus;
  /** Whether the batch that has claimed it may still come back to it. */
  readonly live: boolean;
}

/** All that is known of a receipt at one time. */
export interface ReceiptState {
  readonly receipt: ReceiptIdentity;
  readonly model: EmbeddingModel;
  /** What its rows say. */
  readonly content: ReceiptContent;
  /** Whether its rows name its merchant. */
  readonly namesMerchant: boolean;
  readonly claimed: readonly ClaimedRow[];
  readonly record: EmbeddedReceipt | undefined;
  /** What the log has by its record. */
  readonly held: HeldVectors;
  /** Ids of which the table, read consistently, has no row that is to be embedded. */
  readonly gone: ReadonlySet<string>;
  /** Whether nothing of it is unreadable: what can't be read may be there. */
  readonly readable: boolean;
  readonly stores: readonly {
    readonly identity: string;
    /** All that it has of the receipt, by vector id. */
    readonly vectors: ReadonlyMap<string, StoredVector>;
  }[];
  readonly now: Date;
}

/**
 * Says what differs between the rows of a receipt, its record, the log and the stores.
 *
 * @example
 * ```ts
 * compareReceipt(state);
 * // [{ kind: 'store_lacks', key: 'IMAGE#3f52…#RECEIPT#00001#LINE#00001', store: 'arn:aws:s3vectors:…' }]
 * ```
 */
export function compareReceipt(state: ReceiptState): Difference[] {
  const { content, held, stores, gone } = state;
  const differences: Difference[] = [...ofReceipt(state), ...ofClaims(state)];
  for (const item of allItems(content)) {
    const { id, entity } = item;
    if (entity.embedding_status === 'FAILED' && !isReasonKnown(state, id)) {
      differences.push({ kind: 'failed_without_reason', key: id });
    }
    if (entity.embedding_status !== 'SUCCESS') continue;
    const logged = held.lines.get(id) ?? held.words.get(id);
    const kind = logDifference(state, item, logged);
    if (kind !== undefined) differences.push({ kind, key: id });
    for (const { identity: store, vectors } of stores) {
      const stored = vectors.get(id);
      if (stored === undefined) differences.push({ kind: 'store_lacks', key: id, store });
      else if (logged !== undefined && !isStoredAsLogged(stored, logged)) {
        differences.push({ kind: 'store_differs', key: id, store });
      }
    }
  }
  for (const { identity: store, vectors } of stores) {
    for (const key of vectors.keys()) {
      if (gone.has(key)) differences.push({ kind: 'store_has_gone', key, store });
    }
  }
  return differences;
}

function ofReceipt({ receipt, record, held, content, readable, now }: ReceiptState): Difference[] {
  const key = receiptPath(receipt);
  const isGone = readable && allItems(content).length === 0 && (record?.runs.length ?? 0) > 0;
  return [
    ...(isGone ? [{ kind: 'receipt_gone', key } as const] : []),
    ...(held.complete ? [] : [{ kind: 'delta_missing', key } as const]),
    ...(record !== undefined && deadMarks(record, '', now).length > 0
      ? [{ kind: 'dead_mark', key } as const]
      : []),
  ];
}

function ofClaims({ claimed }: ReceiptState): Difference[] {
  return claimed.flatMap(({ id, status, live }): Difference[] => {
    if (status !== 'PENDING') return [{ kind: 'claim_beside_status', key: id }];
    return live ? [] : [{ kind: 'pending_without_batch', key: id }];
  });
}

function isReasonKnown({ record, held }: ReceiptState, id: string): boolean {
  const named = record?.runs.some(
    ({ refused, refused_count: count }) =>
      refused.some((one) => one.id === id) || count > refused.length,
  );
  return named === true || held.refused.has(id);
}

function logDifference(
  { model, namesMerchant, content }: ReceiptState,
  { input, metadata, entity }: LineItem | WordItem,
  logged: HeldVector | undefined,
): DifferenceKind | undefined {
  const { run } = logged ?? {};
  if (logged === undefined || run?.model !== model.model || run.dimensions !== model.dimensions) {
    return 'success_without_vector';
  }
  const { input_hash: hash, metadata: before } = logged;
  // Of a vector that an older version has bought, its metadata alone tell what it was bought for.
  const isSameInput = hash === undefined ? before.text === entity.text : hash === inputHash(input);
  if (!isSameInput) return 'success_of_other_text';
  if (isSameMetadata(before, metadata, namesMerchant) || isToDo(content)) return undefined;
  return 'success_of_other_metadata';
}

/** Whether the next run is going to embed something of it, and brings up to date what merely quotes that. */
function isToDo(content: ReceiptContent): boolean {
  return allItems(content).some(
    ({ entity: { embedding_status: status } }) => status === 'NONE' || status === 'PENDING',
  );
}
