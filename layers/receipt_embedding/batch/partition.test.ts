import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineId, wordId } from '../../../tests/support/batch_factory.ts';
import { PART_SIZE, partition } from './partition.ts';

function receiptOf(id: string): string {
  return id.slice(0, id.indexOf('#LINE#'));
}

/** The ids of receipts of these many words each, one receipt after the other. */
function idsOf(sizes: readonly number[]): string[] {
  return sizes.flatMap((size, receipt) =>
    Array.from({ length: size }, (_, word) =>
      wordId({ receipt_id: receipt + 1, word_id: word + 1 }),
    ),
  );
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 20 });
const size = fc.integer({ min: 1, max: 12 });

describe('the parts of a batch’s results', () => {
  it('hold each id once, in their order, and none more than the size', () => {
    fc.assert(
      fc.property(sizes, size, (receipts, most) => {
        const ids = idsOf(receipts);
        const parts = partition(ids, most);

        expect(parts.flat()).toStrictEqual(ids);
        expect(parts.filter(({ length }) => length === 0 || length > most)).toStrictEqual([]);
      }),
    );
  });

  it('hold whole receipts, but for one that is over the size by itself', () => {
    fc.assert(
      fc.property(sizes, size, (receipts, most) => {
        const parts = partition(idsOf(receipts), most);
        for (const [at, length] of receipts.entries()) {
          const path = receiptOf(wordId({ receipt_id: at + 1 }));
          const holding = parts.filter((part) => part.some((id) => receiptOf(id) === path));

          expect(holding).toHaveLength(Math.ceil(length / most));
        }
      }),
    );
  });

  it('are as few as whole receipts allow', () => {
    expect(partition(idsOf([2, 3, 3, 1, 5]), 5).map(({ length }) => length)).toStrictEqual([
      5, 4, 5,
    ]);
  });

  it('go on behind the rest of a receipt that was split', () => {
    expect(partition(idsOf([1, 7, 2]), 3).map(({ length }) => length)).toStrictEqual([1, 3, 3, 3]);
  });

  it('keep the lines of receipts together too', () => {
    const ids = [1, 2].flatMap((receipt_id) =>
      [1, 2].map((line_id) => lineId({ receipt_id, line_id })),
    );

    expect(partition(ids, 3)).toStrictEqual([ids.slice(0, 2), ids.slice(2)]);
  });

  it('hold a thousand unless told otherwise, and there are none of nothing', () => {
    expect(PART_SIZE).toBe(1_000);
    expect(partition(idsOf([600, 400, 1])).map(({ length }) => length)).toStrictEqual([1_000, 1]);
    expect(partition([])).toStrictEqual([]);
  });
});
