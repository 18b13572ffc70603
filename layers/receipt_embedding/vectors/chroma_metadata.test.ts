import { describe, expect, it } from 'vitest';
import { aLabel, aLine, aWord } from '../../../tests/support/receipt_factory.ts';
import { embeddingItems } from '../embeddings/embedding_items.ts';
import { chromaMetadata } from './chroma_metadata.ts';

const text = {
  lines: [aLine()],
  words: [aWord()],
  labels: [
    aLabel({ label: 'TIME' }),
    aLabel({ label: 'DATE' }),
    aLabel({ label: 'TAX', validation_status: 'INVALID' }),
  ],
};

function metadataOf(merchant: string | undefined, labels = text.labels) {
  const { lines, words } = embeddingItems({ ...text, labels }, merchant, 'realtime');
  return [...lines, ...words].map(({ metadata }) => chromaMetadata(metadata));
}

describe('metadata for Chroma', () => {
  it('has the receipt id as a string, and every other id as a number', () => {
    expect(
      metadataOf('Corner Market').map(({ receipt_id, line_id, word_id }) => [
        receipt_id,
        line_id,
        word_id,
      ]),
    ).toStrictEqual([
      ['1', 1, undefined],
      ['1', 1, 1],
    ]);
  });

  it('has the merchant’s name, and the empty string where nobody knows it', () => {
    const names = ['Corner Market', undefined].map((name) =>
      metadataOf(name).map(({ merchant_name }) => merchant_name),
    );

    expect(names).toStrictEqual([
      ['Corner Market', 'Corner Market'],
      ['', ''],
    ]);
  });

  it('has label lists between commas, and the empty string where there is no label', () => {
    const lists = [text.labels, []].map((labels) => {
      const [, word] = metadataOf('Corner Market', labels);
      return [word?.['validated_labels'], word?.['invalid_labels']];
    });

    expect(lists).toStrictEqual([
      [',DATE,TIME,', ',TAX,'],
      ['', ''],
    ]);
  });

  it('keeps all else as it is', () => {
    const [line] = metadataOf('Corner Market');

    expect(line).toStrictEqual({
      ...embeddingItems(text, 'Corner Market', 'realtime').lines[0]?.metadata,
      receipt_id: '1',
    });
  });
});
