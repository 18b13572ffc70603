import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { without } from '../../../tests/support/without.ts';
import { receiptMetadataCodec } from './receipt_metadata.ts';

const metadata = {
  image_id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
  receipt_id: 3,
  merchant_name: 'Corner Market #12',
  canonical_merchant_name: 'Corner Market',
  place_id: 'place-1',
  address: '1 MAIN ST',
  phone_number: '555-123-4567',
  validation_status: 'MATCHED',
};

const row = {
  PK: 'IMAGE#3f2504e0-4f89-41d3-9a0c-0305e82c3301',
  SK: 'RECEIPT#00003#METADATA',
  TYPE: 'RECEIPT_METADATA',
  ...without(metadata, 'image_id', 'receipt_id'),
};

describe('a metadata row', () => {
  it('is read with its ids from the key', () => {
    expect(z.decode(receiptMetadataCodec, row as never)).toStrictEqual(metadata);
  });

  it('is written under its key', () => {
    expect(z.encode(receiptMetadataCodec, metadata)).toStrictEqual(row);
  });

  it('may know nothing but the name', () => {
    const { PK, SK, TYPE, merchant_name } = row;
    expect(
      z.decode(receiptMetadataCodec, { PK, SK, TYPE, merchant_name, address: null } as never),
    ).toStrictEqual({
      ...metadata,
      canonical_merchant_name: null,
      place_id: '',
      address: null,
      phone_number: null,
      validation_status: '',
    });
  });

  it.each([
    ['no name', { merchant_name: undefined }],
    ['another TYPE', { TYPE: 'RECEIPT' }],
    ['the key of a receipt', { SK: 'RECEIPT#00003' }],
    ['an image id that is none', { PK: 'IMAGE#1' }],
  ])('is refused with %s', (_, change) => {
    expect(z.safeDecode(receiptMetadataCodec, { ...row, ...change } as never).success).toBe(false);
  });
});
