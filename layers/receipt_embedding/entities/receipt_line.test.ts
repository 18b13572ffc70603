import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { without } from '../../../tests/support/without.ts';
import { receiptLineCodec } from './receipt_line.ts';

const line = {
  image_id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
  receipt_id: 1,
  line_id: 7,
  text: 'TOTAL 12.50',
  bounding_box: { x: -0.02, y: 0.5, width: 0.8, height: 0.02 },
  top_left: { x: -0.02, y: 0.52 },
  top_right: { x: 0.78, y: 0.52 },
  bottom_left: { x: -0.02, y: 0.5 },
  bottom_right: { x: 0.78, y: 0.5 },
  angle_degrees: 1.5,
  angle_radians: 0.02617993877991494,
  confidence: 0,
  embedding_status: 'PENDING' as const,
  is_noise: true,
};

const row = {
  PK: 'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301',
  SK: 'RECEIPT#00001#LINE#00007',
  TYPE: 'RECEIPT_LINE',
  GSI1PK: 'EMBEDDING_STATUS#PENDING',
  GSI1SK: 'LINE#IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301#RECEIPT#00001#LINE#00007',
  GSI3PK: 'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301#RECEIPT#00001',
  GSI3SK: 'LINE',
  ...line,
};

describe('a line row', () => {
  it('is written under the keys that its readers query', () => {
    expect(z.encode(receiptLineCodec, line)).toStrictEqual(row);
  });

  it('is read as it was written', () => {
    expect(z.decode(receiptLineCodec, row as never)).toStrictEqual(line);
  });

  it.each([
    ['status absent: to do', without(row, 'embedding_status'), { embedding_status: 'NONE' }],
    ['noise absent: none', without(row, 'is_noise'), { is_noise: false }],
    ['ids absent: the key has them', without(row, 'image_id', 'receipt_id', 'line_id'), {}],
    [
      'an index key of old without its prefix',
      { ...row, GSI1SK: 'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301#RECEIPT#00001#LINE#00007' },
      {},
    ],
    ['index keys absent', without(row, 'GSI1PK', 'GSI1SK', 'GSI3PK', 'GSI3SK'), {}],
    ['confidence 1', { ...row, confidence: 1 }, { confidence: 1 }],
    ['attributes of others', { ...row, histogram: { A: 1 }, num_chars: 3 }, {}],
  ])('is read with %s', (_, variant, change) => {
    expect(z.decode(receiptLineCodec, variant as never)).toStrictEqual({ ...line, ...change });
  });

  it.each([
    ['an image id that contradicts the key', { image_id: '3f2504e0-4f89-41d3-9a0c-0305e82c3302' }],
    ['a receipt id that contradicts the key', { receipt_id: 2 }],
    ['a line id that contradicts the key', { line_id: 8 }],
    ['the key of a receipt', { SK: 'RECEIPT#00001' }],
    ['line 0', { SK: 'RECEIPT#00001#LINE#00000', line_id: 0 }],
    ['the TYPE of a word', { TYPE: 'RECEIPT_WORD' }],
    ['confidence 1.2', { confidence: 1.2 }],
    ['negative confidence', { confidence: -0.1 }],
    ['a status that there is not', { embedding_status: 'DONE' }],
    ['a corner without y', { top_left: { x: 0 } }],
    ['no text', { text: undefined }],
    [
      'an image id of version 1',
      { PK: 'IMAGE#3f2504e0-4f89-11d3-9a0c-0305e82c3301', image_id: undefined },
    ],
  ])('is refused with %s', (_, change) => {
    expect(z.safeDecode(receiptLineCodec, { ...row, ...change } as never).success).toBe(false);
  });
});
