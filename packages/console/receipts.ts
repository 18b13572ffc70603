import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import {
  imageKey,
  linePath,
  type ReceiptIdentity,
  receiptIdentitySchema,
  receiptPart,
  wordPath,
} from 'receipt-embedding/entities/keys';
import type { ReceiptLine, ReceiptWord } from 'receipt-embedding/entities/line_and_word';
import type { BoundingBox } from 'receipt-embedding/entities/receipt';
import { readEmbeddedReceipt } from 'receipt-embedding/table/embedded_receipts';
import { metadataKey, readReceiptContents } from 'receipt-embedding/table/receipt_contents';
import { listReceipts } from 'receipt-embedding/table/receipt_listing';
import { getRows } from 'receipt-embedding/table/row_batches';
import { getRow } from 'receipt-embedding/table/table';
import { WrongArgument } from 'receipts-cli/command_line/arguments';
import { SILENT_LOGGER } from 'receipts-cli/table/silent_logger';
import type { ConsolePorts } from './ports.ts';

export interface ListedReceipt extends ReceiptIdentity {
  readonly merchant_name: string | null;
}

export interface ReceiptPage {
  readonly receipts: readonly ListedReceipt[];
  /** Where the next page goes on; null at the end. */
  readonly next: ReceiptIdentity | null;
}

const PAGE = 50;

/** A page of all receipts, in the index's own order, which means nothing. */
export async function listPage(
  { table }: ConsolePorts,
  query: URLSearchParams,
): Promise<ReceiptPage> {
  const after = query.has('image_id') ? receiptIdentity(query) : undefined;
  const found: ReceiptIdentity[] = [];
  const invalid = { count: 0 };
  for await (const receipt of listReceipts(table, after, invalid, SILENT_LOGGER, PAGE + 1)) {
    found.push(receipt);
    if (found.length > PAGE) break;
  }
  const shown = found.slice(0, PAGE);
  const rows = await getRows(table, shown.map(metadataKey), ['merchant_name']);
  const named = new Map(rows.map((row) => [row.PK + row.SK, row['merchant_name']]));
  const receipts = shown.map((receipt) => {
    const { PK, SK } = metadataKey(receipt);
    const merchant = named.get(PK + SK);
    return { ...receipt, merchant_name: typeof merchant === 'string' ? merchant : null };
  });
  return { receipts, next: found.length > PAGE ? (receipts.at(-1) ?? null) : null };
}

/** @throws WrongArgument */
export function receiptIdentity(query: URLSearchParams): ReceiptIdentity {
  const parsed = receiptIdentitySchema.safeParse({
    image_id: query.get('image_id'),
    receipt_id: Number(query.get('receipt_id')),
  });
  if (parsed.success) return parsed.data;
  throw new WrongArgument('expected image_id, a UUID, and receipt_id, a whole number from 1');
}

/** A line or word, where it is and what became of it. */
export interface DrawnEntity {
  /** Its vector's id. */
  readonly id: string;
  readonly line_id: number;
  readonly text: string;
  /** Of the receipt's crop, 0 to 1, from the BOTTOM left. */
  readonly box: BoundingBox;
  readonly confidence: number;
  readonly status: string;
  readonly is_noise: boolean;
  /** What is embedded; null of what is not. */
  readonly input: string | null;
}

export interface DrawnWord extends DrawnEntity {
  readonly word_id: number;
  readonly labels: readonly { readonly label: string; readonly status: string }[];
}

export interface DrawnReceipt extends ReceiptIdentity {
  readonly merchant_name: string | null;
  /** Height by width of the crop; null where no row says it. */
  readonly aspect: number | null;
  readonly lines: readonly DrawnEntity[];
  readonly words: readonly DrawnWord[];
  readonly invalid_rows: number;
  /** The record of what is held of it (docs/data_model.md); null where there is none. */
  readonly record: unknown;
}

/** @throws WrongArgument where there is no such receipt. */
export async function readDrawnReceipt(
  { table }: ConsolePorts,
  receipt: ReceiptIdentity,
): Promise<DrawnReceipt> {
  const { image_id, receipt_id } = receipt;
  const key = { PK: imageKey(image_id), SK: receiptPart(receipt_id) };
  const [contents, row, record] = await Promise.all([
    readReceiptContents(table, receipt, SILENT_LOGGER),
    getRow(table, key),
    readEmbeddedReceipt(table, receipt),
  ]);
  const { lines, words, labels, metadata, invalid_rows } = contents;
  if (row === undefined && lines.length === 0 && words.length === 0) {
    throw new WrongArgument(`There is no receipt ${receipt_id} of the image ${image_id}.`);
  }
  // A row without a name reads as ''.
  const merchant = metadata?.merchant_name === '' ? undefined : metadata?.merchant_name;
  const items = embeddingItems(contents, merchant, 'realtime');
  const inputs = new Map([...items.lines, ...items.words].map(({ id, input }) => [id, input]));
  const labelsOf = Map.groupBy(labels, wordPath);
  const [width, height] = [row?.['width'], row?.['height']];
  return {
    ...receipt,
    merchant_name: merchant ?? null,
    aspect:
      typeof width === 'number' && typeof height === 'number' && width > 0 ? height / width : null,
    lines: lines.map((line) => drawn(line, linePath(line), inputs)),
    words: words.map((word) => ({
      ...drawn(word, wordPath(word), inputs),
      word_id: word.word_id,
      labels: (labelsOf.get(wordPath(word)) ?? []).map(({ label, validation_status }) => ({
        label,
        status: validation_status,
      })),
    })),
    invalid_rows: invalid_rows.length,
    record: record ?? null,
  };
}

function drawn(
  entity: ReceiptLine | ReceiptWord,
  id: string,
  inputs: ReadonlyMap<string, string>,
): DrawnEntity {
  const { line_id, text, bounding_box: box, confidence, embedding_status, is_noise } = entity;
  return {
    id,
    line_id,
    text,
    box,
    confidence,
    status: embedding_status,
    is_noise,
    input: inputs.get(id) ?? null,
  };
}
