import { isEmbeddable } from '../embeddings/embedding_items.ts';
import { parsePath, type Row, rowKey } from '../entities/keys.ts';
import {
  type ReceiptLine,
  receiptLineCodec,
  type ReceiptWord,
  receiptWordCodec,
} from '../entities/line_and_word.ts';
import { mapSettled } from '../settled_map.ts';
import { decodeLeniently } from './rows.ts';
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
      const entity = decode(row);
      if (entity === undefined) unreadable.add(id);
      else if (!isEmbeddable(entity)) gone.add(id);
      else if ('word_id' in entity) words.push(entity);
      else lines.push(entity);
    },
    { atOnce: READS_AT_ONCE },
  );
  return { lines, words, gone, unreadable };
}

function decode(row: Row): ReceiptLine | ReceiptWord | undefined {
  const codec = row['TYPE'] === 'RECEIPT_LINE' ? receiptLineCodec : receiptWordCodec;
  const decoded = decodeLeniently<ReceiptLine | ReceiptWord>(codec, row);
  return decoded.success ? decoded.data : undefined;
}
