import type { z } from 'zod';
import {
  imageKey,
  type ReceiptIdentity,
  receiptPart,
  receiptPath,
  type Row,
  type RowKey,
} from '../entities/keys.ts';
import {
  type ReceiptLine,
  receiptLineCodec,
  type ReceiptWord,
  receiptWordCodec,
  type ReceiptWordLabel,
  receiptWordLabelCodec,
} from '../entities/line_and_word.ts';
import { type ReceiptMetadata, receiptMetadataCodec } from '../entities/receipt.ts';
import type { Logger } from '../ports.ts';
import { allSettled } from '../settled_map.ts';
import { readRows, type ReadRows } from './rows.ts';
import { getRow, type QueryInput, queryPages, type Table } from './table.ts';

/** All that is embedded of a receipt, and what its metadata is made from. */
export interface ReceiptContents {
  /** By line_id. */
  readonly lines: readonly ReceiptLine[];
  /** By line_id, then word_id. */
  readonly words: readonly ReceiptWord[];
  readonly labels: readonly ReceiptWordLabel[];
  readonly metadata: ReceiptMetadata | undefined;
  /** Keys of the rows that could not be read. */
  readonly invalid_rows: readonly RowKey[];
  /** Attributes in odd forms, which were ignored where their rows were not. */
  readonly ignored_attributes: number;
}

/**
 * Reads a receipt. Its lines and words come from an index, so they are eventually consistent.
 *
 * @example
 * ```ts
 * await readReceiptContents(table, { image_id: '3f52804b-2fad-4e00-92c8-b593da3a8ed3', receipt_id: 1 }, logger);
 * // { lines: [{ line_id: 1, text: 'MILK 3.99', … }], words: […], labels: [], metadata: undefined, invalid_rows: [], ignored_attributes: 0 }
 * ```
 */
export async function readReceiptContents(
  table: Table,
  receipt: ReceiptIdentity,
  logger: Logger,
): Promise<ReceiptContents> {
  const [text, labels, metadata] = await allSettled([
    readReceiptText(table, receipt, logger),
    queryAll(table, labelsOf(receipt), receiptWordLabelCodec, logger),
    readMetadata(table, receipt, logger),
  ]);
  return {
    ...text,
    labels: labels.entities,
    metadata: metadata.entities[0],
    invalid_rows: [...text.invalid_rows, ...labels.invalid, ...metadata.invalid],
    ignored_attributes: text.ignored_attributes + labels.ignored + metadata.ignored,
  };
}

/** The part of a receipt that is embedded: its lines and words alone. @see readReceiptContents */
export async function readReceiptText(
  table: Table,
  receipt: ReceiptIdentity,
  logger: Logger,
): Promise<Pick<ReceiptContents, 'lines' | 'words' | 'invalid_rows' | 'ignored_attributes'>> {
  const [lines, words] = await allSettled([
    queryAll(table, byReceipt(receipt, 'LINE'), receiptLineCodec, logger),
    queryAll(table, byReceipt(receipt, 'WORD'), receiptWordCodec, logger),
  ]);
  return {
    // The index gives every row of a receipt the same sort key: the order that they come in means nothing.
    lines: lines.entities.sort((a, b) => a.line_id - b.line_id),
    words: words.entities.sort((a, b) => a.line_id - b.line_id || a.word_id - b.word_id),
    invalid_rows: [...lines.invalid, ...words.invalid],
    ignored_attributes: lines.ignored + words.ignored,
  };
}

function byReceipt(receipt: ReceiptIdentity, kind: 'LINE' | 'WORD'): QueryInput {
  return {
    IndexName: 'GSI3',
    KeyConditionExpression: 'GSI3PK = :receipt AND GSI3SK = :kind',
    values: { receipt: receiptPath(receipt), kind },
  };
}

/** The same range of the table holds the lines, words and letters: the filter keeps them off the wire. */
function labelsOf({ image_id, receipt_id }: ReceiptIdentity): QueryInput {
  return {
    KeyConditionExpression: 'PK = :image AND begins_with(SK, :lines)',
    FilterExpression: '#type = :type',
    ExpressionAttributeNames: { '#type': 'TYPE' },
    values: {
      image: imageKey(image_id),
      lines: `${receiptPart(receipt_id)}#LINE#`,
      type: 'RECEIPT_WORD_LABEL',
    },
  };
}

async function queryAll<Entity>(
  table: Table,
  query: QueryInput,
  codec: z.ZodType<Entity>,
  logger: Logger,
): Promise<ReadRows<Entity>> {
  const rows: Row[] = [];
  for await (const page of queryPages(table, query)) rows.push(...page.rows);
  return readRows(rows, codec, logger, { lenient: true });
}

/** The key of a receipt's ReceiptMetadata. */
export function metadataKey({ image_id, receipt_id }: ReceiptIdentity): RowKey {
  return { PK: imageKey(image_id), SK: `${receiptPart(receipt_id)}#METADATA` };
}

async function readMetadata(
  table: Table,
  receipt: ReceiptIdentity,
  logger: Logger,
): Promise<ReadRows<ReceiptMetadata>> {
  const row = await getRow(table, metadataKey(receipt));
  return readRows(row === undefined ? [] : [row], receiptMetadataCodec, logger, { lenient: true });
}
