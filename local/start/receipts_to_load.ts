import { readReceiptExports, type InvalidEntry } from '../receipts/exports/receipt_exports.ts';
import type { ReceiptEntities } from '../receipts/load_receipts.ts';
import {
  syntheticReceipts,
  type SyntheticReceipt,
} from '../receipts/synthetic/synthetic_receipts.ts';
import type { StartOptions } from './options.ts';

export interface ReceiptsToLoad {
  readonly source: ReceiptEntities | Iterable<SyntheticReceipt>;
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
      description: `${count} synthetic receipts (seed ${seed})`,
      skipped: [],
    };
  }
  const exports = await readReceiptExports(options.data, { skipInvalid: options.skipInvalid });
  return {
    source: exports,
    description: `${exports.lines.length} lines and ${exports.words.length} words of ${options.data.join(', ')}`,
    skipped: exports.skipped,
  };
}
