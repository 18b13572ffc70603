import { describe, expect, it } from 'vitest';
import { aLabel, aLine, aWord, box, IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { embeddingItems } from './embedding_items.ts';

const lines = [
  aLine({ line_id: 2, text: 'TOTAL 3.99', ...box(0.25, 0.25, 0.5, 0.125), confidence: 0.5 }),
  aLine({ line_id: 1, text: 'MILK', ...box(0.25, 0.5, 0.5, 0.125), angle_degrees: -2 }),
];

const words = [
  aWord({ line_id: 1, word_id: 1, text: 'MILK', ...box(0.25, 0.5, 0.25, 0.125), confidence: 0.75 }),
  aWord({
    line_id: 1,
    word_id: 2,
    text: '~',
    is_noise: true,
    ...box(0.5, 0.5, 0.25, 0.125),
    confidence: 0.25,
  }),
];

const labels = [
  aLabel({ line_id: 1, word_id: 1, label: 'PRODUCT_NAME', validation_status: 'VALID' }),
  aLabel({ line_id: 1, word_id: 2, label: 'TAX', validation_status: 'INVALID' }),
  aLabel({ line_id: 2, word_id: 1, label: 'GRAND_TOTAL', validation_status: 'VALID' }),
];

const path = `IMAGE#${IMAGE_ID}#RECEIPT#00001`;

describe('what is embedded of a receipt', () => {
  const items = embeddingItems({ lines, words, labels }, 'Corner Market', 'realtime');

  it('is each line by line_id, with the metadata that readers filter on', () => {
    expect(items.lines).toStrictEqual([
      {
        id: `${path}#LINE#00001`,
        entity: lines[1],
        input: 'MILK',
        metadata: {
          image_id: IMAGE_ID,
          receipt_id: 1,
          line_id: 1,
          text: 'MILK',
          x: 0.5,
          y: 0.5625,
          width: 0.5,
          height: 0.125,
          confidence: 0.9,
          embedding_type: 'line',
          source: 'openai_line_embedding_realtime',
          angle_degrees: -2,
          word_count: 2,
          avg_word_confidence: 0.5,
          section: 'UNLABELED',
          prev_line: '<EDGE>',
          next_line: 'TOTAL 3.99',
          merchant_name: 'Corner Market',
        },
      },
      {
        id: `${path}#LINE#00002`,
        entity: lines[0],
        input: 'TOTAL 3.99',
        metadata: {
          image_id: IMAGE_ID,
          receipt_id: 1,
          line_id: 2,
          text: 'TOTAL 3.99',
          x: 0.5,
          y: 0.3125,
          width: 0.5,
          height: 0.125,
          confidence: 0.5,
          embedding_type: 'line',
          source: 'openai_line_embedding_realtime',
          angle_degrees: 1.5,
          word_count: 0,
          avg_word_confidence: 0.5,
          section: 'UNLABELED',
          prev_line: 'MILK',
          next_line: '<EDGE>',
          merchant_name: 'Corner Market',
        },
      },
    ]);
  });

  it('is each word that is no noise, with its own labels and its neighbours, noise among them', () => {
    expect(items.words).toStrictEqual([
      {
        id: `${path}#LINE#00001#WORD#00001`,
        entity: words[0],
        input: '<TARGET>MILK</TARGET> <POS>middle-center</POS> <CONTEXT><EDGE> ~</CONTEXT>',
        metadata: {
          image_id: IMAGE_ID,
          receipt_id: 1,
          line_id: 1,
          word_id: 1,
          text: 'MILK',
          x: 0.375,
          y: 0.5625,
          width: 0.25,
          height: 0.125,
          confidence: 0.75,
          embedding_type: 'word',
          source: 'openai_embedding_realtime',
          left: '<EDGE>',
          right: '~',
          label_status: 'validated',
          validated_labels: ['PRODUCT_NAME'],
          invalid_labels: [],
          label_validated_at: '2025-03-01T10:00:00+00:00',
          merchant_name: 'Corner Market',
        },
      },
    ]);
  });

  it('names the batch path as its source when that made it, and no merchant when none is known', () => {
    const batch = embeddingItems({ lines, words, labels }, undefined, 'batch');
    const all = [...batch.lines, ...batch.words].map(({ metadata }) => metadata);

    expect(all.map(({ source }) => source)).toStrictEqual([
      'openai_line_embedding_batch',
      'openai_line_embedding_batch',
      'openai_embedding_batch',
    ]);
    expect(all.filter((metadata) => 'merchant_name' in metadata)).toStrictEqual([]);
  });

  it('leaves out lines and words that are noise, empty or only white space', () => {
    const left = [
      { is_noise: true },
      { embedding_status: 'NOISE' as const },
      { text: '' },
      { text: ' \t' },
    ];
    const { lines: none, words: neither } = embeddingItems(
      {
        lines: left.map((change, at) => aLine({ line_id: at + 1, ...change })),
        words: left.map((change, at) => aWord({ word_id: at + 1, ...change })),
        labels: [],
      },
      undefined,
      'realtime',
    );

    expect([none, neither]).toStrictEqual([[], []]);
  });

  it('is words alone where a receipt has no lines, and nothing where it has neither', () => {
    const alone = embeddingItems({ lines: [], words, labels: [] }, undefined, 'realtime');

    expect([alone.lines.length, alone.words.length]).toStrictEqual([0, 1]);
    expect(embeddingItems({ lines: [], words: [], labels: [] }, 'X', 'realtime')).toStrictEqual({
      lines: [],
      words: [],
    });
  });
});
