import { z } from 'zod';
import { pointSchema } from './geometry.ts';
import {
  imageIdSchema,
  imageKey,
  ordinalSchema,
  receiptPart,
  receiptPath,
  rowKey,
} from './keys.ts';
import { identify, keyFields } from './row.ts';

const attributes = {
  width: z.number(),
  height: z.number(),
  timestamp_added: z.string(),
  raw_s3_bucket: z.string(),
  raw_s3_key: z.string(),
  top_left: pointSchema,
  top_right: pointSchema,
  bottom_left: pointSchema,
  bottom_right: pointSchema,
  sha256: z.string().nullish(),
};

export const receiptSchema = z.object({
  image_id: imageIdSchema,
  receipt_id: ordinalSchema,
  ...attributes,
});

/** A receipt on an image. It has no embedding status of its own: that follows from its lines and words. */
export type Receipt = z.output<typeof receiptSchema>;

const storedSchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal('RECEIPT'),
  ...attributes,
});

/** Row ⇄ Receipt (docs/data_model.md §1). The ids are only in the keys. */
export const receiptCodec = z.codec(storedSchema, receiptSchema, {
  decode: (row, payload) => ({ ...row, ...identify(row, 'receipt_id', payload) }),
  encode: ({ image_id, receipt_id, sha256 = null, ...rest }) => {
    const path = receiptPath({ image_id, receipt_id });
    return {
      ...rowKey(image_id, path),
      TYPE: 'RECEIPT' as const,
      GSI1PK: imageKey(image_id),
      GSI1SK: receiptPart(receipt_id),
      GSI2PK: 'RECEIPT',
      GSI2SK: path,
      sha256,
      ...rest,
    };
  },
});
