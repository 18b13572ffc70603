import { createHash } from 'node:crypto';
import { contentId } from '../embeddings/content_id.ts';
import type { EmbeddingModel } from '../embeddings/embedder.ts';
import type { EmbeddingItems, LineItem, WordItem } from '../embeddings/embedding_items.ts';
import type { LoggedRun } from '../entities/embedded_receipt.ts';
import { type ReceiptIdentity, receiptPath } from '../entities/keys.ts';
import type { VectorCollection, VectorMetadata } from '../stores/vector_store.ts';

/** Raise it when the same rows give other inputs or metadata: everything is then delivered anew, from the log where inputs are equal. */
export const CONTENT_FORMAT = 1;

export const COLLECTIONS: readonly VectorCollection[] = ['lines', 'words'];

/** What is compared of a line or word to tell whether its vector is up to date. */
export interface ContentEntry {
  readonly id: string;
  readonly input_hash: string | undefined;
  readonly metadata: VectorMetadata;
}

/** The first 128 bits of an input's SHA-256: two inputs of one receipt never have the same. */
export function inputHash(input: string): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 32);
}

export function entryOf({ id, input, metadata }: LineItem | WordItem): ContentEntry {
  return { id, input_hash: inputHash(input), metadata };
}

/**
 * What a collection of a receipt says: ids, inputs and metadata. Which path has embedded a vector is no part of that, nor is the order.
 * @example
 * ```ts
 * collectionDigest(items.lines.map(entryOf)); // '5d41402abc4b2a76b9719d911017c592'
 * ```
 */
export function collectionDigest(entries: readonly ContentEntry[]): string {
  const hash = createHash('sha256');
  for (const { id, input_hash, metadata } of entries.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    hash.update(`${JSON.stringify([id, input_hash ?? null, describe(metadata)])}\n`);
  }
  return hash.digest('hex').slice(0, 32);
}

/** Metadata without `source`, in an order of its own. */
function describe(metadata: VectorMetadata): unknown {
  return sorted(metadata).filter(([name]) => name !== 'source');
}

function sorted(metadata: object): [string, unknown][] {
  return Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Whether a store that has the one vector does not need the other: the same input with the same metadata. */
export function isSame(a: ContentEntry, b: ContentEntry): boolean {
  return (
    a.input_hash === b.input_hash &&
    a.input_hash !== undefined &&
    JSON.stringify(sorted(a.metadata)) === JSON.stringify(sorted(b.metadata))
  );
}

/** What is to be in the log and the stores of a receipt. */
export interface ReceiptContent {
  readonly items: EmbeddingItems;
  readonly digests: Readonly<Record<VectorCollection, string>>;
}

export function contentOf(items: EmbeddingItems): ReceiptContent {
  return {
    items,
    digests: {
      lines: collectionDigest(items.lines.map(entryOf)),
      words: collectionDigest(items.words.map(entryOf)),
    },
  };
}

export function allItems({ items }: Pick<ReceiptContent, 'items'>): (LineItem | WordItem)[] {
  return [...items.lines, ...items.words];
}

/** What a run's id stands for. */
interface RunContent extends Pick<LoggedRun, 'forced_by'> {
  readonly receipt: ReceiptIdentity;
  readonly model: EmbeddingModel;
  /** Of the record that the run builds on. */
  readonly sequence: number;
  /** Undefined where the run is not of that collection. */
  readonly digests: Readonly<Partial<Record<VectorCollection, string>>>;
}

/**
 * The id of a run, from its content and what it builds on: a retry makes the same, a content that comes back later another.
 */
export function runId({ receipt, model, sequence, digests, forced_by }: RunContent): string {
  return contentId(
    JSON.stringify([
      CONTENT_FORMAT,
      receiptPath(receipt),
      model.model,
      model.dimensions,
      sequence,
      digests.lines ?? null,
      digests.words ?? null,
      forced_by,
    ]),
  );
}
