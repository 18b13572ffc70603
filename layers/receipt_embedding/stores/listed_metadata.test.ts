import { describe, expect, it } from 'vitest';
import { aLabel, aLine, aWord } from '../../../tests/support/receipt_factory.ts';
import { embeddingItems } from '../embeddings/embedding_items.ts';
import { chromaMetadata } from './chroma_metadata.ts';
import { listedMetadata } from './listed_metadata.ts';

const labels = [
  aLabel({ label: 'TIME' }),
  aLabel({ label: 'DATE' }),
  aLabel({ label: 'TAX', validation_status: 'INVALID' }),
];

function itemsOf(merchant: string | undefined, of = labels) {
  const { lines, words } = embeddingItems(
    { lines: [aLine()], words: [aWord()], labels: of },
    merchant,
    'batch',
  );
  return [...lines, ...words].map(({ metadata }) => metadata);
}

describe('metadata for a store that knows lists', () => {
  it('has every id as a number, and label lists as lists', () => {
    const [line, word] = itemsOf('Corner Market').map(listedMetadata);

    expect(line?.['receipt_id']).toBe(1);
    expect([word?.['receipt_id'], word?.['validated_labels'], word?.['invalid_labels']]) //
      .toStrictEqual([1, ['DATE', 'TIME'], ['TAX']]);
  });

  it('leaves out empty label lists and a merchant that nobody knows', () => {
    const named = itemsOf('Corner Market', []).map(listedMetadata);
    const unnamed = [...itemsOf(undefined, []), ...itemsOf('', [])].map(listedMetadata);

    expect(named.map(({ merchant_name }) => merchant_name)).toStrictEqual([
      'Corner Market',
      'Corner Market',
    ]);
    for (const metadata of unnamed) {
      expect(Object.keys(metadata)).not.toContain('merchant_name');
      expect(Object.keys(metadata)).not.toContain('validated_labels');
      expect(Object.keys(metadata)).not.toContain('invalid_labels');
    }
  });

  it('says the same as Chroma’s in every other field', () => {
    const forms = ['receipt_id', 'validated_labels', 'invalid_labels'];
    const others = (metadata: object) =>
      Object.fromEntries(Object.entries(metadata).filter(([name]) => !forms.includes(name)));

    const items = itemsOf('Corner Market');
    expect(items.map((item) => others(listedMetadata(item)))).toStrictEqual(
      items.map((item) => others(chromaMetadata(item))),
    );
  });
});
