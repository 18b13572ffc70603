import type { Logger } from 'receipt-embedding/ports';
import { readReceiptText } from 'receipt-embedding/table/receipt_contents';
import {
  type InvalidRows,
  receiptsWithStatus,
  SHARDS,
} from 'receipt-embedding/table/receipt_listing';
import type { Table } from 'receipt-embedding/table/table';
import type { ReceiptSource } from './receipt_source.ts';

/**
 * The receipts of a table, found by the status of their lines and words and read one by one, as the functions do it.
 *
 * @param invalid counts rows that can't be read, which the functions skip too.
 */
export function tableSource(table: Table, invalid: InvalidRows): ReceiptSource {
  return {
    receipts: async function* (status) {
      for (const shard of SHARDS) {
        const listing = { table, status, after: undefined, invalid, logger: NO_LOGGER };
        yield* receiptsWithStatus(listing, shard);
      }
    },
    readRows: async (receipt) => {
      const { invalid_rows, ...rows } = await readReceiptText(table, receipt, NO_LOGGER);
      invalid.count += invalid_rows.length;
      return rows;
    },
  };
}

/** They are counted, and the functions log them with their keys. */
const NO_LOGGER: Logger = { info: () => undefined, warn: () => undefined };
