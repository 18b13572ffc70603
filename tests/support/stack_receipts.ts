import {
  type SyntheticReceipt,
  syntheticReceipts,
} from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { aLine, aReceipt, box } from './receipt_factory.ts';

/** Of all functions here: what one test leaves behind is never another's. */
let calls = 0;

/** Receipts of 12 words, others at each call. */
export function smallReceipts(count: number): SyntheticReceipt[] {
  calls++;
  return [...syntheticReceipts({ count, seed: `small/${calls}`, words: 12 })];
}

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

/** A receipt that has these lines, from the top down, and nothing else; another image at each call. */
export function receiptOfLines(...texts: readonly string[]): SyntheticReceipt {
  calls++;
  const identity = {
    image_id: `3f2504e0-4f89-41d3-9a0c-${String(calls).padStart(12, '0')}`,
    receipt_id: 1,
  };
  return {
    receipt: aReceipt(identity),
    lines: texts.map((text, at) =>
      aLine({ ...identity, line_id: at + 1, text, ...box(0.1, 0.9 - at / 100, 0.8, 0.008) }),
    ),
    words: [],
    labels: [],
  };
}

/** Tokens of one such line's text. */
export const LINE_TOKENS = 10;

/** Receipts of nothing but `lines` lines of 10 tokens each, no two of which are the same. */
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
