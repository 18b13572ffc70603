import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { without } from '../../../tests/support/without.ts';
import { receiptLineCodec, receiptWordCodec, receiptWordLabelCodec } from './line_and_word.ts';

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
    expect(z.encode(receiptLineCodec, { ...line, status_missing: true })).toStrictEqual(row);
  });

  it('is read as it was written', () => {
    expect(z.decode(receiptLineCodec, row as never)).toStrictEqual(line);
  });

  it.each([
    [
      'status absent: to do',
      without(row, 'embedding_status'),
      { embedding_status: 'NONE', status_missing: true },
    ],
    ['noise absent: none', without(row, 'is_noise'), { is_noise: false }],
    ['ids absent: the key has them', without(row, 'image_id', 'receipt_id', 'line_id'), {}],
    [
      'a legacy index key without its prefix',
      { ...row, GSI1SK: 'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301#RECEIPT#00001#LINE#00007' },
      {},
    ],
    ['index keys absent', without(row, 'GSI1PK', 'GSI1SK', 'GSI3PK', 'GSI3SK'), {}],
    ['confidence 1', { ...row, confidence: 1 }, { confidence: 1 }],
    ['attributes of others', { ...row, histogram: { A: 1 }, num_chars: 3 }, {}],
    ['corners absent: those of its box', without(row, 'top_left', 'bottom_right'), {}],
    [
      'a box absent: around its corners',
      without(row, 'bounding_box'),
      { bounding_box: { x: -0.02, y: 0.5, width: 0.8, height: 0.020000000000000018 } },
    ],
    ['one angle absent: from the other', without(row, 'angle_degrees'), {}],
    [
      'no angle, no confidence: 0',
      without(row, 'angle_degrees', 'angle_radians', 'confidence'),
      { angle_degrees: 0, angle_radians: 0, confidence: 0 },
    ],
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
    ['neither a box nor four corners', { bounding_box: undefined, top_left: undefined }],
    ['no text', { text: undefined }],
    [
      'an image id of version 1',
      { PK: 'IMAGE#3f2504e0-4f89-11d3-9a0c-0305e82c3301', image_id: undefined },
    ],
  ])('is refused with %s', (_, change) => {
    expect(z.safeDecode(receiptLineCodec, { ...row, ...change } as never).success).toBe(false);
  });
});

describe('receipt word', () => {
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
      expect(z.encode(receiptWordCodec, { ...word, status_missing: true })).toStrictEqual(row);
    });

    it('is read as it was written', () => {
      expect(z.decode(receiptWordCodec, row as never)).toStrictEqual(word);
    });

    it.each([
      [
        'status absent: to do',
        without(row, 'embedding_status'),
        { embedding_status: 'NONE', status_missing: true },
      ],
      ['noise absent: none', without(row, 'is_noise'), { is_noise: false }],
      [
        'ids absent: the key has them',
        without(row, 'image_id', 'receipt_id', 'line_id', 'word_id'),
        {},
      ],
      ['nothing extracted (NULL)', { ...row, extracted_data: null }, { extracted_data: null }],
      ['nothing extracted (absent)', without(row, 'extracted_data'), { extracted_data: null }],
      ['a legacy index key without its prefix', { ...row, GSI1SK: path }, {}],
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
});

describe('receipt word label', () => {
  const label = {
    image_id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    receipt_id: 1,
    line_id: 7,
    word_id: 12,
    label: 'GRAND_TOTAL',
    validation_status: 'NEEDS_REVIEW' as const,
    timestamp_added: '2025-03-01T10:00:00.123456',
    label_proposed_by: 'model-1',
    label_consolidated_from: null,
    reasoning: 'it stands beside the word total',
  };

  const row = {
    PK: 'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    SK: 'RECEIPT#00001#LINE#00007#WORD#00012#LABEL#GRAND_TOTAL',
    TYPE: 'RECEIPT_WORD_LABEL',
    validation_status: 'NEEDS_REVIEW',
    timestamp_added: '2025-03-01T10:00:00.123456',
    label_proposed_by: 'model-1',
    label_consolidated_from: null,
    reasoning: 'it stands beside the word total',
  };

  describe('a label row', () => {
    it('is read with its ids and its label from the key', () => {
      expect(z.decode(receiptWordLabelCodec, row as never)).toStrictEqual(label);
    });

    it('is written under its key, the label in upper case', () => {
      expect(z.encode(receiptWordLabelCodec, { ...label, label: 'grand_total' })).toStrictEqual(
        row,
      );
    });

    it('may lack who proposed it, what it came from and why', () => {
      const rest = without(row, 'label_proposed_by', 'label_consolidated_from', 'reasoning');

      expect(z.decode(receiptWordLabelCodec, rest as never)).toStrictEqual({
        ...label,
        label_proposed_by: null,
        label_consolidated_from: null,
        reasoning: null,
      });
    });

    it.each(['NONE', 'PENDING', 'VALID', 'INVALID', 'NEEDS_REVIEW'] as const)(
      'may have the validation status %s',
      (validation_status) => {
        expect(
          z.decode(receiptWordLabelCodec, { ...row, validation_status } as never).validation_status,
        ).toBe(validation_status);
      },
    );

    it.each([
      ['a validation status that there is not', { validation_status: 'MAYBE' }],
      ['a timestamp that is none', { timestamp_added: 'yesterday' }],
      ['the key of a word', { SK: 'RECEIPT#00001#LINE#00007#WORD#00012' }],
      ['another TYPE', { TYPE: 'RECEIPT_LETTER' }],
      ['a word id that contradicts the key', { word_id: 1 }],
    ])('is refused with %s', (_, change) => {
      expect(z.safeDecode(receiptWordLabelCodec, { ...row, ...change } as never).success).toBe(
        false,
      );
    });
  });
});
