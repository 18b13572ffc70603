import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { without } from '../../../tests/support/without.ts';
import { receiptWordLabelCodec } from './receipt_word_label.ts';

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
    expect(z.encode(receiptWordLabelCodec, { ...label, label: 'grand_total' })).toStrictEqual(row);
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
    expect(z.safeDecode(receiptWordLabelCodec, { ...row, ...change } as never).success).toBe(false);
  });
});
