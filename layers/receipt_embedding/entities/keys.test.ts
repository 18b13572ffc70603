import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import {
  compareReceipts,
  epochMilliseconds,
  imageIdSchema,
  linePath,
  parseKey,
  receiptPath,
  rowKey,
  timestampSchema,
  withOffset,
  wordPath,
} from './keys.ts';

const word = { image_id: IMAGE_ID, receipt_id: 2, line_id: 30, word_id: 400 };

const ordinals = fc.integer({ min: 1, max: 99_999 });

const imageIds = fc
  .tuple(fc.uuid({ version: [4, 5] }), fc.boolean())
  .map(([id, upper]) => (upper ? id.toUpperCase() : id));

describe('the key of a row', () => {
  it('pads every number to five digits', () => {
    expect([receiptPath(word), linePath(word), wordPath(word)]).toStrictEqual([
      'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301#RECEIPT#00002',
      'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301#RECEIPT#00002#LINE#00030',
      'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301#RECEIPT#00002#LINE#00030#WORD#00400',
    ]);
  });

  it('splits a path into the image and the rest', () => {
    expect(rowKey(IMAGE_ID, wordPath(word))).toStrictEqual({
      PK: 'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301',
      SK: 'RECEIPT#00002#LINE#00030#WORD#00400',
    });
  });

  it('carries the ids there and back, the case of the image id included', () => {
    fc.assert(
      fc.property(
        imageIds,
        ordinals,
        ordinals,
        ordinals,
        (image_id, receipt_id, line_id, word_id) => {
          const ids = { image_id, receipt_id, line_id, word_id };

          expect(parseKey(rowKey(image_id, wordPath(ids)))).toStrictEqual(ids);
          expect(parseKey(rowKey(image_id, linePath(ids)))).toStrictEqual({
            image_id,
            receipt_id,
            line_id,
          });
          expect(parseKey(rowKey(image_id, receiptPath(ids)))).toStrictEqual({
            image_id,
            receipt_id,
          });
        },
      ),
    );
  });

  it('names a label as it is written, also one that holds a #', () => {
    const SK = 'RECEIPT#00002#LINE#00030#WORD#00400#LABEL#ITEM#2';

    expect(parseKey({ PK: `IMAGE#${IMAGE_ID}`, SK })).toStrictEqual({ ...word, label: 'ITEM#2' });
  });

  it.each([
    ['a letter', 'RECEIPT#00001#LINE#00001#WORD#00001#LETTER#00001'],
    ['metadata', 'RECEIPT#00001#METADATA'],
    ['four digits', 'RECEIPT#0001'],
    ['six digits', 'RECEIPT#000001'],
    ['receipt 0', 'RECEIPT#00000'],
    ['no range at all', ''],
  ])('is none of a receipt, line, word or label: %s', (_, SK) => {
    expect(parseKey({ PK: `IMAGE#${IMAGE_ID}`, SK })).toBeUndefined();
  });

  it('is none when its image id is no UUID of version 4 or 5', () => {
    expect(parseKey({ PK: 'IMAGE#image-1', SK: 'RECEIPT#00001' })).toBeUndefined();
  });
});

describe('an image id', () => {
  it.each([
    ['version 4', '3f2504e0-4f89-41d3-9a0c-0305e82c3301', true],
    ['version 5', '3f2504e0-4f89-51d3-9a0c-0305e82c3301', true],
    ['upper case', '3F2504E0-4F89-41D3-9A0C-0305E82C3301', true],
    ['mixed case', '3f2504E0-4F89-41d3-Ba0C-0305E82c3301', true],
    ['version 1', '3f2504e0-4f89-11d3-9a0c-0305e82c3301', false],
    ['version 7', '3f2504e0-4f89-71d3-9a0c-0305e82c3301', false],
    ['a wrong variant', '3f2504e0-4f89-41d3-ca0c-0305e82c3301', false],
    ['a digit too many', '3f2504e0-4f89-41d3-9a0c-0305e82c33011', false],
    ['no hyphens', '3f2504e04f8941d39a0c0305e82c3301', false],
  ])('of %s (%s) is accepted: %s', (_, id, accepted) => {
    expect(imageIdSchema.safeParse(id).success).toBe(accepted);
  });
});

describe('the order of receipts', () => {
  it('is the order of their keys in the table', () => {
    const receipts = fc.record({ image_id: imageIds, receipt_id: ordinals });
    fc.assert(
      fc.property(receipts, receipts, (a, b) => {
        const [first, second] = [receiptPath(a), receiptPath(b)];

        expect(Math.sign(compareReceipts(a, b))).toBe(
          Buffer.compare(Buffer.from(first), Buffer.from(second)),
        );
      }),
    );
  });
});

beforeEach(() => {
  vi.stubEnv('TZ', 'America/New_York');
});

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a timestamp', () => {
  it.each([
    ['2025-03-01T10:00:00+00:00', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01T10:00:00Z', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01T12:00:00+02:00', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01T12:00:00+0200', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01T10:00:00', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01 10:00:00', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01T10:00:00.123456', '2025-03-01T10:00:00.123Z'],
    ['2025-03-01T10:00', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01', '2025-03-01T00:00:00.000Z'],
  ])('%s is the instant %s, whatever zone the machine is in', (text, instant) => {
    expect(new Date(epochMilliseconds(text)).toISOString()).toBe(instant);
  });

  it.each([
    '',
    'yesterday',
    '01.03.2025',
    '2025-13-01T10:00:00',
    '2025-03-01T25:00:00',
    '1741000000',
  ])('is not %j', (text) => {
    expect(timestampSchema.safeParse(text).success).toBe(false);
  });

  it.each([
    ['2025-03-01T10:00:00', '2025-03-01T10:00:00+00:00'],
    ['2025-03-01T10:00:00.123456', '2025-03-01T10:00:00.123456+00:00'],
    ['2025-03-01', '2025-03-01T00:00:00+00:00'],
    ['2025-03-01T12:00:00+02:00', '2025-03-01T12:00:00+02:00'],
    ['2025-03-01T10:00:00Z', '2025-03-01T10:00:00Z'],
  ])('%s is written %s', (text, written) => {
    expect(withOffset(text)).toBe(written);
  });
});
