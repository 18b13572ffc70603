import { quantity } from '../command_line/quantity.ts';
import { type InvalidEntry, readReceiptExports } from '../receipt_exports/receipt_exports.ts';
import type { ReceiptEntities } from '../receipts/load_receipts.ts';
import {
  type SyntheticReceipt,
  syntheticReceipts,
} from '../receipts/synthetic/synthetic_receipts.ts';
import type { StartOptions } from './options.ts';

export interface ReceiptsToLoad {
  readonly source: ReceiptEntities | Iterable<SyntheticReceipt>;
  /** How many receipts there are to embed. */
  readonly count: number;
  /** What they are, for people. */
  readonly description: string;
  /** Entries of the exports that were left out. */
  readonly skipped: readonly InvalidEntry[];
}

/** @throws InvalidExport for exports that can't be read. */
export async function receiptsToLoad(options: StartOptions): Promise<ReceiptsToLoad> {
  if (options.data === undefined) {
    const { receipts: count, seed, words } = options;
    return {
      source: syntheticReceipts({ count, seed, ...(words === undefined ? {} : { words }) }),
      count,
      description: `${quantity(count, 'synthetic receipt')} (seed ${seed})`,
      skipped: [],
    };
  }
  const exports = await readReceiptExports(options.data, { skipInvalid: options.skipInvalid });
  return {
    source: exports,
    count: exports.receipts.length,
    description: `${quantity(exports.lines.length, 'line')} and ${quantity(exports.words.length, 'word')} of ${options.data.join(', ')}`,
    skipped: exports.skipped,
  };
}
