import { parsePath, receiptPath } from '../entities/keys.ts';
import { quoted } from '../embeddings/quotes.ts';
import { InvalidReceiptData } from '../errors.ts';
import type { StoredMetadata, VectorCollection } from '../stores/vector_store.ts';

/**
 * A vector that was found, as a search answers it. What the store does not know of it is left out.
 *
 * Its longest texts are cut: 300 hits are to fit into the 6 MB that a function may answer with, also if every character
 * takes six bytes (`\u0000`).
 */
export interface SearchHit {
  readonly id: string;
  /** Cosine similarity, -1 to 1, not rounded. Left out where nothing was compared: for vectors that were named by their ids. */
  readonly score?: number;
  /** At most 1,000 characters, `…` at the end of what was cut. */
  readonly text?: string;
  readonly merchant_name?: string;
  readonly image_id: string;
  readonly receipt_id: number;
  readonly line_id: number;
  /** Of a word. */
  readonly word_id?: number;
  /** Of a word; [] where there is none. The first 20. */
  readonly validated_labels?: readonly string[];
  /** The neighbours of a word on its row; `<EDGE>` where there is none. */
  readonly left?: string;
  readonly right?: string;
  /** The lines above and below a line; `<EDGE>` where there is none. */
  readonly prev_line?: string;
  readonly next_line?: string;
  /** Centroid and size, normalised to the receipt's crop with the origin at the bottom left. */
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  readonly height?: number;
  /** Which model's API, of which entity, by which workflow: `openai_line_embedding_batch`. */
  readonly source?: string;
}

/** Characters (UTF-16 code units), and how many labels. 300 × (1,000 + 3 × 200 + 60 + 20 × 40) × 6 bytes are 4.4 MB. */
const BOUNDS = { text: 1_000, other: 200, source: 60, label: 40, labels: 20 } as const;

/**
 * @throws InvalidReceiptData for an id that no line and no word has: somebody else writes into the store.
 * @example
 * ```ts
 * searchHit('lines', { id: 'IMAGE#3f25…#RECEIPT#00001#LINE#00002', score: 0.83, metadata });
 * // { id: 'IMAGE#3f25…', score: 0.83, text: 'OAT MILK 3.99', merchant_name: 'Corner Market', image_id: '3f25…', receipt_id: 1, line_id: 2, … }
 * ```
 */
export function searchHit(
  collection: VectorCollection,
  found: { readonly id: string; readonly score?: number; readonly metadata: StoredMetadata },
): SearchHit {
  const { id, score, metadata } = found;
  const parts = parsePath(id);
  if (parts?.line_id === undefined) {
    throw new InvalidReceiptData(
      'the store has a vector whose id is that of no line and no word: remove what others have written into it',
    );
  }
  const { image_id, receipt_id, line_id, word_id } = parts;
  return {
    id,
    ...(score === undefined ? {} : { score }),
    ...texts(metadata, { text: BOUNDS.text, merchant_name: BOUNDS.other }),
    image_id,
    receipt_id,
    line_id,
    ...(word_id === undefined ? {} : { word_id }),
    ...(collection === 'words'
      ? {
          validated_labels: labelsOf(metadata)
            .slice(0, BOUNDS.labels)
            .map((label) => quoted(label, BOUNDS.label)),
          ...texts(metadata, { left: BOUNDS.other, right: BOUNDS.other }),
        }
      : texts(metadata, { prev_line: BOUNDS.other, next_line: BOUNDS.other })),
    ...numbers(metadata, ['x', 'y', 'width', 'height']),
    ...texts(metadata, { source: BOUNDS.source }),
  };
}

/** The labels that are valid on a word. */
export function labelsOf({ validated_labels: labels }: StoredMetadata): readonly string[] {
  return Array.isArray(labels) ? (labels as readonly string[]) : [];
}

/** The receipt that a vector is of, in one string. */
export function receiptOf(id: string): string {
  const parts = parsePath(id);
  return parts === undefined ? id : receiptPath(parts);
}

function texts<Name extends string>(
  metadata: StoredMetadata,
  bounds: Readonly<Record<Name, number>>,
): Readonly<Partial<Record<Name, string>>> {
  const entries = Object.entries<number>(bounds).flatMap(([name, most]) => {
    const value = metadata[name];
    return typeof value === 'string' ? [[name, quoted(value, most)] as const] : [];
  });
  return Object.fromEntries(entries) as Readonly<Partial<Record<Name, string>>>;
}

function numbers<Name extends string>(
  metadata: StoredMetadata,
  names: readonly Name[],
): Readonly<Partial<Record<Name, number>>> {
  const entries = names.flatMap((name) => {
    const value = metadata[name];
    return typeof value === 'number' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(entries) as Readonly<Partial<Record<Name, number>>>;
}
