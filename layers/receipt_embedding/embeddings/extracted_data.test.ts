import { describe, expect, it } from 'vitest';
import { aLine, aWord } from '../../../tests/support/receipt_factory.ts';
import type { ReceiptWord } from '../entities/receipt_word.ts';
import { embeddingItems } from './embedding_items.ts';

type Extracted = ReceiptWord['extracted_data'];

/** The normalised fields of line 1's vector and of its words', where the words carry this. */
function normalized(...extracted: readonly Extracted[]): Record<string, unknown>[] {
  const { lines, words } = embeddingItems(
    {
      lines: [aLine(), aLine({ line_id: 2 })],
      words: extracted.map((extracted_data, at) => aWord({ word_id: at + 1, extracted_data })),
      labels: [],
    },
    undefined,
    'realtime',
  );
  return [...lines, ...words].map(({ metadata }) =>
    Object.fromEntries(Object.entries(metadata).filter(([name]) => name.startsWith('normalized'))),
  );
}

describe('extracted data', () => {
  it('is kept, normalised, on the word that carries it and on its line, and on no other', () => {
    expect(
      normalized(
        { type: 'phone', value: '+1 (555) 123-4567' },
        null,
        { type: 'address', value: '12 Main Street' },
        { type: 'url', value: 'www.example.com/a/' },
        { type: 'date', value: '2025-03-01' },
      ),
    ).toStrictEqual([
      {
        normalized_phone_10: '5551234567',
        normalized_full_address: '12 MAIN ST',
        normalized_url: 'http://example.com/a',
      },
      {},
      { normalized_phone_10: '5551234567' },
      {},
      { normalized_full_address: '12 MAIN ST' },
      { normalized_url: 'http://example.com/a' },
      {},
    ]);
  });

  it('is the first that is one where two words of a line carry the same kind', () => {
    const [line] = normalized(
      { type: 'phone', value: '12' },
      { type: 'phone', value: '555-123-4567' },
      { type: 'phone', value: '555-765-4321' },
    );

    expect(line).toStrictEqual({ normalized_phone_10: '5551234567' });
  });

  it('that can not be normalised leaves no field behind', () => {
    expect(normalized({ type: 'url', value: 'x@example.com' })).toStrictEqual([{}, {}, {}]);
  });
});
