import { describe, expect, it } from 'vitest';
import { searchHit } from './search_hits.ts';

const IMAGE_ID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const LINE = `IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#00002`;
const WORD = `${LINE}#WORD#00003`;

const PLACE = { x: 0.5, y: 0.25, width: 0.1, height: 0.02 };

describe('a hit', () => {
  it('of a line has its text, its merchant, its place and its neighbours', () => {
    const metadata = {
      ...{ image_id: IMAGE_ID, receipt_id: 1, line_id: 2, embedding_type: 'line' },
      ...{ text: 'OAT MILK 3.99', merchant_name: 'Corner Market', section: 'UNLABELED' },
      ...{ prev_line: '<EDGE>', next_line: 'TOTAL 3.99', confidence: 0.9, ...PLACE },
      source: 'openai_line_embedding_batch',
    };
    expect(searchHit('lines', { id: LINE, score: 0.1 + 0.2, metadata })).toStrictEqual({
      id: LINE,
      score: 0.30000000000000004,
      text: 'OAT MILK 3.99',
      merchant_name: 'Corner Market',
      image_id: IMAGE_ID,
      receipt_id: 1,
      line_id: 2,
      prev_line: '<EDGE>',
      next_line: 'TOTAL 3.99',
      ...PLACE,
      source: 'openai_line_embedding_batch',
    });
  });

  it('of a word has its labels and the words beside it', () => {
    const metadata = {
      ...{ text: 'MILK', left: 'OAT', right: '3.99', ...PLACE },
      validated_labels: ['PRODUCT_NAME'],
      source: 'openai_embedding_realtime',
    };
    expect(searchHit('words', { id: WORD, metadata })).toStrictEqual({
      id: WORD,
      text: 'MILK',
      ...{ image_id: IMAGE_ID, receipt_id: 1, line_id: 2, word_id: 3 },
      validated_labels: ['PRODUCT_NAME'],
      ...{ left: 'OAT', right: '3.99', ...PLACE },
      source: 'openai_embedding_realtime',
    });
  });

  it('is there without what the store does not know', () => {
    expect(searchHit('words', { id: WORD, score: 1, metadata: {} })).toStrictEqual({
      id: WORD,
      score: 1,
      ...{ image_id: IMAGE_ID, receipt_id: 1, line_id: 2, word_id: 3 },
      validated_labels: [],
    });
  });

  it.each(['\u0000', '€', '😀', 'x'])(
    'is short enough for 300 of them in one answer, whatever is in its texts: %j',
    (character) => {
      const long = character.repeat(45_000);
      const texts = ['text', 'merchant_name', 'left', 'right', 'prev_line', 'next_line', 'source'];
      const metadata = {
        ...Object.fromEntries(texts.map((name) => [name, long])),
        ...{ x: -1 / 3, y: 1 / 3, width: 1 / 3, height: 1 / 3 },
        validated_labels: new Array<string>(1_000).fill(long),
      };
      const hits = new Array(300).fill(searchHit('words', { id: WORD, score: 1 / 3, metadata }));
      // Lambda's limit of an answer: 6 MB.
      expect(Buffer.byteLength(JSON.stringify(hits))).toBeLessThan(5_500_000);
    },
  );

  it('is none where others have written into the store', () => {
    expect(() => searchHit('lines', { id: 'mine', score: 1, metadata: {} })).toThrow(
      /whose id is that of no line and no word/,
    );
  });
});
