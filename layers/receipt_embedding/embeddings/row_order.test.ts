import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aLabel, aLine, aWord, box } from '../../../tests/support/receipt_factory.ts';
import { embeddingItems, type ReceiptText } from './embedding_items.ts';
import { contentRunId } from './run_id.ts';

const model = { model: 'text-embedding-3-small', dimensions: 1536 };

// Few places and few texts, so that words share boxes, centroids and rows as OCR's do.
const placement = fc
  .record({
    x: fc.constantFrom(0, 0.1, 0.3),
    y: fc.constantFrom(0.1, 0.11, 0.5),
    height: fc.constantFrom(0.02, 0.3),
  })
  .map(({ x, y, height }) => box(x, y, 0.1, height));
const text = fc.constantFrom('A', 'B', ' ', '555-123-4567');
const ids = fc.integer({ min: 1, max: 4 });

const line = fc
  .tuple(ids, text, placement, fc.boolean())
  .map(([line_id, content, place, is_noise]) =>
    aLine({ line_id, text: content, ...place, is_noise }),
  );

const word = fc
  .tuple(ids, ids, text, placement, fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([line_id, word_id, content, place, confidence]) =>
    aWord({
      line_id,
      word_id,
      text: content,
      ...place,
      confidence,
      extracted_data: { type: 'phone', value: `555-123-456${word_id}` },
    }),
  );

const label = fc
  .tuple(ids, ids, fc.constantFrom('A', 'B', 'C'), fc.constantFrom('VALID', 'PENDING'))
  .map(([line_id, word_id, name, validation_status]) =>
    aLabel({ line_id, word_id, label: name, validation_status, label_proposed_by: name }),
  );

const receipt = fc.record({
  lines: fc.uniqueArray(line, { selector: ({ line_id }) => line_id }),
  words: fc.uniqueArray(word, { selector: ({ line_id, word_id }) => line_id * 10 + word_id }),
  labels: fc.uniqueArray(label, {
    selector: (each) => `${each.line_id}#${each.word_id}#${each.label}`,
  }),
});

function shuffled<Value>(values: readonly Value[]): fc.Arbitrary<Value[]> {
  return fc.shuffledSubarray([...values], { minLength: values.length });
}

const withShuffled: fc.Arbitrary<[ReceiptText, ReceiptText]> = receipt.chain((rows) =>
  fc.tuple(
    fc.constant(rows),
    fc.record({
      lines: shuffled(rows.lines),
      words: shuffled(rows.words),
      labels: shuffled(rows.labels),
    }),
  ),
);

describe('the order in which a receipt’s rows come', () => {
  it('changes no id, no input, no metadata and no run id', () => {
    fc.assert(
      fc.property(withShuffled, ([rows, others]) => {
        const items = embeddingItems(rows, 'Corner Market', 'realtime');
        const same = embeddingItems(others, 'Corner Market', 'realtime');

        expect(same).toStrictEqual(items);
        expect(contentRunId(same, model)).toBe(contentRunId(items, model));
      }),
      { numRuns: 300 },
    );
  });
});
