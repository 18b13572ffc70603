import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { isEmbeddable } from 'receipt-embedding/embeddings/embedding_items';
import {
  compareReceipts,
  type ReceiptIdentity,
  receiptPath,
} from 'receipt-embedding/entities/keys';
import type {
  EmbeddingStatus,
  ReceiptLine,
  ReceiptWord,
} from 'receipt-embedding/entities/line_and_word';
import { readReceiptText } from 'receipt-embedding/table/receipt_contents';
import {
  type InvalidRows,
  receiptsWithStatus,
  SHARDS,
} from 'receipt-embedding/table/receipt_listing';
import type { Table } from 'receipt-embedding/table/table';
import { SILENT_LOGGER } from '../table/silent_logger.ts';

/** What is embedded of a receipt: its lines and words. */
export interface ReceiptRows {
  readonly lines: readonly ReceiptLine[];
  readonly words: readonly ReceiptWord[];
}

/** Where the receipts of an estimate are. */
export interface ReceiptSource {
  /**
   * The receipts with at least one line or word of this status that is not noise, and not blank, each once, in the order that the
   * workflows take them in.
   */
  readonly receipts: (
    status: EmbeddingStatus,
  ) => AsyncIterable<ReceiptIdentity> | Iterable<ReceiptIdentity>;
  readonly readRows: (receipt: ReceiptIdentity) => Promise<ReceiptRows>;
}

/** Whether a receipt has anything of this status that is not noise, and not blank. */
export function hasStatus({ lines, words }: ReceiptRows, status: EmbeddingStatus): boolean {
  const isWanted = (entity: ReceiptLine | ReceiptWord): boolean =>
    entity.embedding_status === status && isEmbeddable(entity);
  return lines.some(isWanted) || words.some(isWanted);
}

interface StoredReceipt {
  readonly receipt: ReceiptIdentity;
  readonly lines: ReceiptLine[];
  readonly words: ReceiptWord[];
}

/** Receipts that are in memory, as a table that held them would give them. */
export function exportSource({
  lines,
  words,
}: {
  readonly lines: Iterable<ReceiptLine>;
  readonly words: Iterable<ReceiptWord>;
}): ReceiptSource {
  const receipts = new Map<string, StoredReceipt>();
  const stored = (entity: ReceiptLine | ReceiptWord): StoredReceipt => {
    const path = receiptPath(entity);
    let found = receipts.get(path);
    if (found === undefined) {
      const { image_id, receipt_id } = entity;
      found = { receipt: { image_id, receipt_id }, lines: [], words: [] };
      receipts.set(path, found);
    }
    return found;
  };
  for (const line of lines) stored(line).lines.push(line);
  for (const word of words) stored(word).words.push(word);
  const inOrder = [...receipts.values()].sort((a, b) => compareReceipts(a.receipt, b.receipt));
  return {
    receipts: function* (status) {
      for (const stored of inOrder) if (hasStatus(stored, status)) yield stored.receipt;
    },
    readRows: (receipt) =>
      Promise.resolve(receipts.get(receiptPath(receipt)) ?? { lines: [], words: [] }),
  };
}

/**
 * The receipts of a table, found by the status of their lines and words and read one by one, as the functions do it.
 *
 * @param invalid counts rows that can't be read, which the functions skip too.
 */
export function tableSource(table: Table, invalid: InvalidRows): ReceiptSource {
  return {
    receipts: async function* (status) {
      for (const shard of SHARDS) {
        const listing = { table, status, after: undefined, invalid, logger: SILENT_LOGGER };
        yield* receiptsWithStatus(listing, shard);
      }
    },
    readRows: async (receipt) => {
      const { invalid_rows, ...rows } = await readReceiptText(table, receipt, SILENT_LOGGER);
      invalid.count += invalid_rows.length;
      return rows;
    },
  };
}

/** What a client has read. */
interface ReadMeter {
  /** Rows that DynamoDB has gone through. */
  readonly rows: number;
  /** Read request units, as DynamoDB itself counts them. */
  readonly units: number;
}

interface QueryAnswer {
  readonly ScannedCount?: number;
  readonly ConsumedCapacity?: { readonly CapacityUnits?: number };
}

/** Lets DynamoDB say with each query of a client's what it has cost. */
export function meterQueries(client: DynamoDBClient): ReadMeter {
  const meter = { rows: 0, units: 0 };
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== 'QueryCommand') return await next(args);
        const result = await next({
          ...args,
          input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' },
        });
        const { ScannedCount = 0, ConsumedCapacity } = result.output as QueryAnswer;
        meter.rows += ScannedCount;
        meter.units += ConsumedCapacity?.CapacityUnits ?? 0;
        return result;
      },
    { step: 'initialize', name: 'meterQueries' },
  );
  return meter;
}
