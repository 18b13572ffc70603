import { describe, expect, it } from 'vitest';
import { type ReceiptLimits, shareReceipts } from './share_receipts.ts';

describe('both paths share the receipts', () => {
  it.each<[string, number, number | undefined, ReceiptLimits]>([
    ['half each', 24, undefined, { realtime: 12, batch: undefined }],
    ['an odd one goes to the realtime workflow', 3, undefined, { realtime: 2, batch: undefined }],
    ['one alone too', 1, undefined, { realtime: 1, batch: 0 }],
    ['a limit is shared alike', 24, 7, { realtime: 4, batch: 3 }],
    ['a limit of 1 leaves none for the batches', 24, 1, { realtime: 1, batch: 0 }],
    ['a limit beyond the receipts is none', 4, 100, { realtime: 2, batch: 2 }],
    ['of no receipts, the realtime workflow says so', 0, undefined, { realtime: 1, batch: 0 }],
  ])('%s', (_title, receipts, limit, limits) => {
    expect(shareReceipts('both', receipts, limit)).toStrictEqual(limits);
  });
});

describe('one path', () => {
  it.each([undefined, 5])('takes all up to the limit (%s), and the other none', (limit) => {
    expect(shareReceipts('realtime', 24, limit)).toStrictEqual({ realtime: limit, batch: 0 });
    expect(shareReceipts('batch', 24, limit)).toStrictEqual({ realtime: 0, batch: limit });
  });
});
