import { describe, expect, it } from 'vitest';
import { aLabel, aLine, aWord } from '../../../tests/support/receipt_factory.ts';
import { embeddingItems } from '../embeddings/embedding_items.ts';
import { chromaMetadata, storedMetadata } from './chroma_metadata.ts';
import { listedMetadata } from './listed_metadata.ts';

const labels = [aLabel({ label: 'TIME' }), aLabel({ label: 'DATE' })];

describe('metadata that come back from Chroma’s form', () => {
  it.each([
    ['with everything', 'Corner Market', labels],
    ['with as little as there can be', undefined, []],
  ])('are those of every other store: %s', (_, merchant, labels) => {
    const { lines, words } = embeddingItems(
      { lines: [aLine()], words: [aWord()], labels },
      merchant,
      'batch',
    );
    for (const { metadata } of [...lines, ...words]) {
      expect(storedMetadata(chromaMetadata(metadata), metadata.text)).toStrictEqual(
        listedMetadata(metadata),
      );
    }
  });

  it('have the document for a text, where other systems wrote none', () => {
    expect(storedMetadata({ receipt_id: '7' }, 'MILK')).toStrictEqual({
      receipt_id: 7,
      text: 'MILK',
    });
    expect(storedMetadata({ text: 'BREAD' }, 'MILK')).toStrictEqual({ text: 'BREAD' });
    expect(storedMetadata(null, null)).toStrictEqual({});
  });

  it('have labels also where they were written as lists, and leave out what has no meaning', () => {
    expect(
      storedMetadata(
        {
          validated_labels: ['DATE'],
          invalid_labels: [],
          receipt_id: 'one',
          merchant_name: '',
          more: { a: 1 },
          taxed: false,
        },
        null,
      ),
    ).toStrictEqual({ validated_labels: ['DATE'], taxed: false });
  });
});
