import { isEmbeddable } from '../embeddings/embedding_items.ts';
import {
  compareReceipts,
  imageKey,
  parseKey,
  type ReceiptIdentity,
  receiptPart,
  receiptPath,
  type Row,
} from '../entities/keys.ts';
import {
  type EmbeddingStatus,
  embeddingStatusKey,
  type ReceiptLine,
  receiptLineCodec,
  type ReceiptWord,
  receiptWordCodec,
} from '../entities/line_and_word.ts';
import type { Logger } from '../ports.ts';
import { decodeLeniently, toItem } from './rows.ts';
import { ofType, queryPages, type Table } from './table.ts';

/** Where a row that can't be read is counted. */
export interface InvalidRows {
  count: number;
}

/**
 * Every receipt of the table, in the index's own order, which is fixed but means nothing.
 *
 * @param after goes on behind this receipt, as an earlier listing that ended there would have.
 * @param perRequest rows a request, for who wants the first few alone. @default what fits: 1 MB, which are some 5,000
 * @example
 * ```ts
 * const invalid = { count: 0 };
 * for await (const receipt of listReceipts(table, undefined, invalid, logger)) …
 * // { image_id: '3f52804b-2fad-4e00-92c8-b593da3a8ed3', receipt_id: 1 }, …
 * ```
 */
export async function* listReceipts(
  table: Table,
  after: ReceiptIdentity | undefined,
  invalid: InvalidRows,
  logger: Logger,
  perRequest?: number,
): AsyncGenerator<ReceiptIdentity> {
  const pages = queryPages(table, {
    ...ofType('RECEIPT'),
    ProjectionExpression: 'PK, SK',
    ...(perRequest === undefined ? {} : { Limit: perRequest }),
    ...(after === undefined ? {} : { ExclusiveStartKey: toItem(indexKey(after)) }),
  });
  for await (const { rows } of pages) {
    for (const { PK, SK } of rows) {
      const parts = parseKey({ PK, SK });
      if (parts === undefined || parts.line_id !== undefined) {
        invalid.count++;
        logger.warn('a receipt has a key that can not be read and is skipped', { key: { PK, SK } });
        continue;
      }
      yield { image_id: parts.image_id, receipt_id: parts.receipt_id };
    }
  }
}

function indexKey({ image_id, receipt_id }: ReceiptIdentity): Row {
  return { TYPE: 'RECEIPT', PK: imageKey(image_id), SK: receiptPart(receipt_id) };
}

interface StatusListing {
  readonly table: Table;
  readonly status: EmbeddingStatus;
  /** Goes on behind this receipt. */
  readonly after: ReceiptIdentity | undefined;
  readonly invalid: InvalidRows;
  readonly logger: Logger;
}

/**
 * What the sort keys of one index partition begin with: lines, words, and legacy rows, which have
 * no prefix (docs/data_model.md §1). Within each the keys go by image, then receipt.
 */
const PREFIXES = ['', 'LINE#', 'WORD#'];

/**
 * The first character of an image id, in key order: the listing's natural shards. One stream of a million receipts' words
 * would take longer than a Lambda may; several at once don't.
 */
export const SHARDS = Array.from('0123456789ABCDEFabcdef');

/**
 * The receipts of one shard that have at least one line or word of this status to embed, in the order of
 * their keys, each once.
 *
 * @example
 * ```ts
 * for (const shard of SHARDS) yield* receiptsWithStatus({ table, status: 'NONE', after: undefined, invalid, logger }, shard);
 * ```
 */
export async function* receiptsWithStatus(
  listing: StatusListing,
  shard: string,
): AsyncGenerator<ReceiptIdentity> {
  const streams = PREFIXES.map((prefix) => receiptsOfStream(listing, shard, prefix));
  let last: ReceiptIdentity | undefined;
  for await (const receipt of mergeSorted(streams)) {
    if (last !== undefined && compareReceipts(last, receipt) === 0) continue;
    last = receipt;
    yield receipt;
  }
}

async function* receiptsOfStream(
  { table, status, after, invalid, logger }: StatusListing,
  shard: string,
  prefix: string,
): AsyncGenerator<ReceiptIdentity> {
  const first = `${prefix}IMAGE#${shard}`;
  // '$' comes right behind '#': this is behind every row of the receipt and before those of the next one.
  const behind = after === undefined ? '' : `${prefix}${receiptPath(after)}$`;
  const end = `${first}~`;
  const start = behind > first ? behind : first;
  if (start > end) return;
  const pages = queryPages(table, {
    IndexName: 'GSI1',
    KeyConditionExpression: 'GSI1PK = :status AND GSI1SK BETWEEN :start AND :end',
    values: { status: embeddingStatusKey(status), start, end },
  });
  let last: ReceiptIdentity | undefined;
  for await (const { rows } of pages) {
    for (const row of rows) {
      const receipt = parseKey(row);
      // One row is enough to list a receipt; the others need not be looked at.
      if (receipt !== undefined && last !== undefined && compareReceipts(receipt, last) === 0)
        continue;
      const entity = decodeLineOrWord(row);
      if (entity === undefined) {
        // It does not belong into this partition, or could not be read: it would be listed by every run.
        invalid.count++;
        logger.warn('a line or word can not be read and is skipped', {
          key: { PK: row.PK, SK: row.SK },
        });
      } else if (entity.embedding_status === status && isEmbeddable(entity)) {
        // The attribute is the truth: the index key of a legacy row may lag behind it.
        last = { image_id: entity.image_id, receipt_id: entity.receipt_id };
        yield last;
      }
    }
  }
}

/** A line is told from a word by its TYPE alone. @returns undefined for what can't be read. */
export function decodeLineOrWord(row: Row): ReceiptLine | ReceiptWord | undefined {
  const codec = row['TYPE'] === 'RECEIPT_LINE' ? receiptLineCodec : receiptWordCodec;
  const decoded = decodeLeniently<ReceiptLine | ReceiptWord>(codec, row);
  return decoded.success ? decoded.data : undefined;
}

/** Merges streams that are sorted each. */
async function* mergeSorted(
  streams: readonly AsyncGenerator<ReceiptIdentity>[],
): AsyncGenerator<ReceiptIdentity> {
  try {
    const heads = await Promise.all(streams.map((stream) => stream.next()));
    for (;;) {
      let least = -1;
      let receipt: ReceiptIdentity | undefined;
      for (const [index, head] of heads.entries()) {
        if (head.done === true) continue;
        if (receipt === undefined || compareReceipts(head.value, receipt) < 0) {
          least = index;
          receipt = head.value;
        }
      }
      const stream = streams[least];
      if (receipt === undefined || stream === undefined) return;
      yield receipt;
      heads[least] = await stream.next();
    }
  } finally {
    await Promise.all(streams.map((stream) => stream.return(undefined)));
  }
}
