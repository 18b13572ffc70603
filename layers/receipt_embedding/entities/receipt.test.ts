import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { without } from '../../../tests/support/without.ts';
import { centroid, receiptCodec, receiptMetadataCodec } from './receipt.ts';

const row = {
  PK: 'IMAGE#3F2504E0-4F89-41D3-9A0C-0305E82C3301',
  SK: 'RECEIPT#00002',
  TYPE: 'RECEIPT',
  GSI1PK: 'IMAGE#3F2504E0-4F89-41D3-9A0C-0305E82C3301',
  GSI1SK: 'RECEIPT#00002',
  GSI2PK: 'RECEIPT',
  GSI2SK: 'IMAGE#3F2504E0-4F89-41D3-9A0C-0305E82C3301#RECEIPT#00002',
  width: 600,
  height: 1800.5,
  timestamp_added: '2025-03-01T10:00:00',
  raw_s3_bucket: 'images',
  raw_s3_key: 'raw/1.png',
  top_left: { x: -0.01, y: 1 },
  top_right: { x: 1, y: 1 },
  bottom_left: { x: 0, y: 0 },
  bottom_right: { x: 1, y: -0.02 },
  sha256: null,
};

const receipt = {
  image_id: '3F2504E0-4F89-41D3-9A0C-0305E82C3301',
  receipt_id: 2,
  ...without(row, 'PK', 'SK', 'TYPE', 'GSI1PK', 'GSI1SK', 'GSI2PK', 'GSI2SK'),
};

describe('a receipt row', () => {
  it('is read with its ids from the key', () => {
    expect(z.decode(receiptCodec, row as never)).toStrictEqual(receipt);
  });

  it('is written under the keys that its readers query', () => {
    expect(z.encode(receiptCodec, receipt)).toStrictEqual(row);
  });

  it('keeps a hash that it has', () => {
    const hashed = { ...row, sha256: 'ab12' };

    expect(z.encode(receiptCodec, z.decode(receiptCodec, hashed as never))).toStrictEqual(hashed);
  });

  it('may lack the hash, and carry attributes that are not ours', () => {
    const rare = { ...without(row, 'sha256'), cdn_s3_key: null, cdn_webp_s3_key: 'a.webp' };

    expect(z.decode(receiptCodec, rare as never)).toStrictEqual(without(receipt, 'sha256'));
  });

  it.each([
    ['another TYPE', { TYPE: 'RECEIPT_LINE' }],
    ['a key without a receipt', { SK: 'META' }],
    ['an image id that is none', { PK: 'IMAGE#1' }],
    ['a width that is text', { width: '600' }],
    ['an id that contradicts the key', { receipt_id: 3 }],
  ])('is refused with %s', (_, change) => {
    expect(z.safeDecode(receiptCodec, { ...row, ...change } as never).success).toBe(false);
  });
});

describe('receipt metadata', () => {
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
      ['another TYPE', { TYPE: 'RECEIPT' }],
      ['the key of a receipt', { SK: 'RECEIPT#00003' }],
      ['an image id that is none', { PK: 'IMAGE#1' }],
    ])('is refused with %s', (_, change) => {
      expect(z.safeDecode(receiptMetadataCodec, { ...row, ...change } as never).success).toBe(
        false,
      );
    });
  });
});

describe('geometry', () => {
  it('takes the mean of the four corners for the centroid, of a tilted box too', () => {
    expect(
      centroid({
        top_left: { x: 0.25, y: 1 },
        top_right: { x: 0.75, y: 1.25 },
        bottom_left: { x: 0, y: 0.5 },
        bottom_right: { x: 1, y: -0.25 },
      }),
    ).toStrictEqual({ x: 0.5, y: 0.625 });
  });
});
