import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { without } from '../../../tests/support/without.ts';
import { receiptWordCodec } from './receipt_word.ts';

const word = {
  image_id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
  receipt_id: 1,
  line_id: 7,
  word_id: 12,
  text: '(555)',
  bounding_box: { x: 0.1, y: 0.5, width: 0.1, height: 0.02 },
  top_left: { x: 0.1, y: 0.52 },
  top_right: { x: 0.2, y: 0.52 },
  bottom_left: { x: 0.1, y: 0.5 },
  bottom_right: { x: 0.2, y: 0.5 },
  angle_degrees: 0,
  angle_radians: 0,
  confidence: 0.5,
  extracted_data: { type: 'phone' as const, value: '(555) 123-4567' },
  embedding_status: 'NONE' as const,
  is_noise: false,
};

const path = 'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301#RECEIPT#00001#LINE#00007#WORD#00012';

const row = {
  PK: 'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301',
  SK: 'RECEIPT#00001#LINE#00007#WORD#00012',
  TYPE: 'RECEIPT_WORD',
  GSI1PK: 'EMBEDDING_STATUS#NONE',
  GSI1SK: `WORD#${path}`,
  GSI2PK: 'RECEIPT',
  GSI2SK: path,
  GSI3PK: 'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301#RECEIPT#00001',
  GSI3SK: 'WORD',
  ...word,
};

describe('a word row', () => {
  it('is written under the keys that its readers query', () => {
    expect(z.encode(receiptWordCodec, word)).toStrictEqual(row);
  });

  it('is read as it was written', () => {
    expect(z.decode(receiptWordCodec, row as never)).toStrictEqual(word);
  });

  it.each([
    ['status absent: to do', without(row, 'embedding_status'), { embedding_status: 'NONE' }],
    ['noise absent: none', without(row, 'is_noise'), { is_noise: false }],
    [
      'ids absent: the key has them',
      without(row, 'image_id', 'receipt_id', 'line_id', 'word_id'),
      {},
    ],
    ['nothing extracted (NULL)', { ...row, extracted_data: null }, { extracted_data: null }],
    ['nothing extracted (absent)', without(row, 'extracted_data'), { extracted_data: null }],
    ['an index key of old without its prefix', { ...row, GSI1SK: path }, {}],
    ['confidence 0', { ...row, confidence: 0 }, { confidence: 0 }],
  ])('is read with %s', (_, variant, change) => {
    expect(z.decode(receiptWordCodec, variant as never)).toStrictEqual({ ...word, ...change });
  });

  it.each(['address', 'date', 'phone', 'url'] as const)(
    'may carry extracted data of type %s',
    (type) => {
      const extracted_data = { type, value: 'x' };

      expect(
        z.decode(receiptWordCodec, { ...row, extracted_data } as never).extracted_data,
      ).toStrictEqual(extracted_data);
    },
  );

  it.each([
    ['a word id that contradicts the key', { word_id: 13 }],
    ['a line id that contradicts the key', { line_id: 8 }],
    ['the key of a line', { SK: 'RECEIPT#00001#LINE#00007' }],
    ['the TYPE of a line', { TYPE: 'RECEIPT_LINE' }],
    ['confidence 1.2', { confidence: 1.2 }],
    ['extracted data of another type', { extracted_data: { type: 'price', value: '1' } }],
    ['extracted data without a value', { extracted_data: { type: 'date' } }],
  ])('is refused with %s', (_, change) => {
    expect(z.safeDecode(receiptWordCodec, { ...row, ...change } as never).success).toBe(false);
  });
});
