import { isEmbeddable } from '../embeddings/embedding_items.ts';
import { parsePath, rowKey } from '../entities/keys.ts';
import type { ReceiptLine, ReceiptWord } from '../entities/line_and_word.ts';
import { mapSettled } from '../settled_map.ts';
import type { ReceiptContents } from './receipt_contents.ts';
import { decodeLineOrWord } from './receipt_listing.ts';
import { getRow, type Table } from './table.ts';

/** What has become of lines and words that have vectors, and that no query shows. */
export interface MissingRows {
  /** There all the same: an index shows a row late. */
  readonly lines: readonly ReceiptLine[];
  readonly words: readonly ReceiptWord[];
  /** No row, or one that is not to be embedded any more: noise, or empty. */
  readonly gone: ReadonlySet<string>;
  /** A row that can't be read: it may be there. */
  readonly unreadable: ReadonlySet<string>;
}

const READS_AT_ONCE = 25;

/**
 * Reads rows by their vector ids, consistently.
 *
 * @example
 * ```ts
 * await readMissingRows(table, ['IMAGE#3f52…#RECEIPT#00001#LINE#00007']);
 * // { lines: [], words: [], gone: Set { 'IMAGE#3f52…#RECEIPT#00001#LINE#00007' }, unreadable: Set {} }
 * ```
 */
export async function readMissingRows(table: Table, ids: readonly string[]): Promise<MissingRows> {
  const lines: ReceiptLine[] = [];
  const words: ReceiptWord[] = [];
  const gone = new Set<string>();
  const unreadable = new Set<string>();
  await mapSettled(
    ids,
    async (id) => {
      const path = parsePath(id);
      const row =
        path === undefined
          ? undefined
          : await getRow(table, rowKey(path.image_id, id), { ConsistentRead: true });
      if (row === undefined) {
        gone.add(id);
        return;
      }
      const entity = decodeLineOrWord(row);
      if (entity === undefined) unreadable.add(id);
      else if (!isEmbeddable(entity)) gone.add(id);
      else if ('word_id' in entity) words.push(entity);
      else lines.push(entity);
    },
    { atOnce: READS_AT_ONCE },
  );
  return { lines, words, gone, unreadable };
}

/** A receipt with the rows of it that its index did not show. */
export function withMissing(
  contents: ReceiptContents,
  { lines, words }: MissingRows,
): ReceiptContents {
  return {
    ...contents,
    lines: [...contents.lines, ...lines],
    words: [...contents.words, ...words],
  };
}
