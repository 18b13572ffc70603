import {
  type SyntheticReceipt,
  syntheticReceipts,
} from 'receipts-cli/synthetic_receipts/synthetic_receipts';

/** Receipts of 12 words, others at each call: what one test leaves behind is never another's. */
export function smallReceipts(count: number): SyntheticReceipt[] {
  calls++;
  return [...syntheticReceipts({ count, seed: `small/${calls}`, words: 12 })];
}

let calls = 0;

/** One such receipt. */
export function smallReceipt(): SyntheticReceipt {
  const [receipt] = smallReceipts(1);
  if (receipt === undefined) throw new RangeError('asked for one receipt, got none');
  return receipt;
}

/** How many lines and words of it are embedded. */
export function embeddableCount({ lines, words }: SyntheticReceipt): number {
  return [...lines, ...words].filter(({ is_noise }) => !is_noise).length;
}
