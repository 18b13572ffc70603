import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { receiptOfLines } from './receipt_of_lines.ts';

/** Bytes of one such line's text, which is how many tokens a plan takes it for. */
export const LINE_BYTES = 20;

/** Receipts of nothing but `lines` lines of 20 bytes each, no two of which are the same. */
export function lineReceipts(count: number, lines = 2): SyntheticReceipt[] {
  return Array.from({ length: count }, () => {
    made++;
    const texts = Array.from(
      { length: lines },
      (_, at) => `RECEIPT ${digits(made, 4)} LINE ${digits(at + 1, 2)}`,
    );
    return receiptOfLines(...texts);
  });
}

let made = 0;

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}
