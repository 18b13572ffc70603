import {
  EMBEDDED_RECEIPT_TYPE,
  type EmbeddedReceipt,
  embeddedReceiptCodec,
  foreignRuns,
} from 'receipt-embedding/entities/embedded_receipt';
import { BULK } from 'receipt-embedding/retry';
import { ofType, type QueryOptions, queryPages, type Table } from 'receipt-embedding/table/table';
import { z } from 'zod';

/** What records say of the stores that are asked about. */
export interface StoreGaps {
  /** Receipts that are embedded. */
  readonly receipts: number;
  /** In the order in which the stores were named. */
  readonly stores: readonly StoreGap[];
  /** Records that could not be read, and are not counted. */
  readonly invalid_rows: number;
}

interface StoreGap {
  readonly identity: string;
  /** Receipts of which it does not have everything that is embedded. */
  readonly lacks: number;
  /** Receipts of which it may have vectors that are to be removed, or that a writer who died has left. */
  readonly unsettled: number;
}

interface CountingOptions extends QueryOptions {
  /** Read no more records than this, at most one page of 1 MB. @default all of them */
  readonly sample?: number;
  /** Hears of every page. */
  readonly onProgress?: (read: number) => void;
}

/**
 * Counts from the records of receipts what stores lack. A million records are some 1.5 GB: 190,000 read request units, about a minute.
 *
 * @param identities of the stores.
 */
export async function countStoreGaps(
  table: Table,
  identities: readonly string[],
  { sample, onProgress, ...options }: CountingOptions = {},
): Promise<StoreGaps> {
  const stores = identities.map((identity) => ({ identity, lacks: 0, unsettled: 0 }));
  let [receipts, invalid_rows, read] = [0, 0, 0];
  const pages = queryPages(
    table,
    {
      ...ofType(EMBEDDED_RECEIPT_TYPE),
      ...(sample === undefined ? {} : { Limit: sample }),
    },
    { ...BULK, ...options },
  );
  for await (const { rows } of pages) {
    for (const row of rows) {
      const decoded = z.safeDecode(embeddedReceiptCodec, row as never);
      if (!decoded.success) {
        invalid_rows++;
        continue;
      }
      if (decoded.data.runs.length > 0) receipts++;
      for (const store of stores) {
        const { lacks, unsettled } = gapsOf(decoded.data, store.identity);
        if (lacks) store.lacks++;
        if (unsettled) store.unsettled++;
      }
    }
    read += rows.length;
    onProgress?.(read);
    if (sample !== undefined) break;
  }
  return { receipts, stores, invalid_rows };
}

function gapsOf(
  record: EmbeddedReceipt,
  identity: string,
): { readonly lacks: boolean; readonly unsettled: boolean } {
  const { has = [] } = record.stores[identity] ?? {};
  return {
    lacks: record.runs.some(({ run_id }) => !has.includes(run_id)),
    unsettled: foreignRuns(record, [identity]).length > 0 || Object.keys(record.marks).length > 0,
  };
}
