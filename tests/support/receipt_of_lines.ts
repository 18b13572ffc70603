import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { aLine, aReceipt, box } from './receipt_factory.ts';

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

let calls = 0;
