import { z } from 'zod';
import {
  identify,
  imageIdSchema,
  imageKey,
  keyFields,
  ordinalSchema,
  receiptPart,
  receiptPath,
  type Row,
  rowKey,
} from './keys.ts';

/** Normalised to the receipt's crop, origin at the BOTTOM left; a little below 0 or above 1 occurs. */
const pointSchema = z.object({ x: z.number(), y: z.number() });
export type Point = z.output<typeof pointSchema>;

/** `x`, `y`: the bottom left corner; the box spans `y … y + height` upward. */
const boundingBoxSchema = z.object({
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
});
export type BoundingBox = z.output<typeof boundingBoxSchema>;

/** The geometry that OCR gives each line and each word. */
export const placedFields = {
  bounding_box: boundingBoxSchema,
  top_left: pointSchema,
  top_right: pointSchema,
  bottom_left: pointSchema,
  bottom_right: pointSchema,
  angle_degrees: z.number(),
  angle_radians: z.number(),
  /** OCR's own, 0..1; 0 occurs. */
  confidence: z.number().min(0).max(1),
};

export type Corners = Readonly<
  Record<'top_left' | 'top_right' | 'bottom_left' | 'bottom_right', Point>
>;

/** The mean of the four corners. */
export function centroid({ top_left, top_right, bottom_left, bottom_right }: Corners): Point {
  return {
    x: (top_left.x + top_right.x + bottom_left.x + bottom_right.x) / 4,
    y: (top_left.y + top_right.y + bottom_left.y + bottom_right.y) / 4,
  };
}

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

const storedReceiptSchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal('RECEIPT'),
  ...attributes,
});

/**
 * Row ⇄ Receipt (docs/data_model.md §1). The ids are only in the keys.
 * @example
 * ```ts
 * z.encode(receiptCodec, receipt);
 * // { PK: 'IMAGE#3f52…', SK: 'RECEIPT#00001', TYPE: 'RECEIPT', width: 600, height: 1800, timestamp_added: '2025-03-01', … }
 * ```
 */
export const receiptCodec = z.codec(storedReceiptSchema, receiptSchema, {
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

export const receiptMetadataSchema = z.object({
  image_id: imageIdSchema,
  receipt_id: ordinalSchema,
  merchant_name: z.string(),
  canonical_merchant_name: z.string().nullable(),
  place_id: z.string(),
  address: z.string().nullable(),
  phone_number: z.string().nullable(),
  validation_status: z.string(),
});

/** The merchant of a receipt, where somebody has found it out. */
export type ReceiptMetadata = z.output<typeof receiptMetadataSchema>;

const storedMetadataSchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal('RECEIPT_METADATA'),
  merchant_name: z.string(),
  canonical_merchant_name: z.string().nullish(),
  place_id: z.string().optional(),
  address: z.string().nullish(),
  phone_number: z.string().nullish(),
  validation_status: z.string().optional(),
});

const KEY = /^IMAGE#(?<image>[^#]+)#RECEIPT#(?<receipt>\d{5})#METADATA$/;

/**
 * Row ⇄ ReceiptMetadata (docs/data_model.md §1).
 * @example
 * ```ts
 * // { PK: 'IMAGE#3f52…', SK: 'RECEIPT#00001#METADATA', TYPE: 'RECEIPT_METADATA', merchant_name: 'Corner Market', … }
 * ```
 */
export const receiptMetadataCodec = z.codec(storedMetadataSchema, receiptMetadataSchema, {
  decode: (row) => ({
    ...row,
    ...ids(row),
    canonical_merchant_name: row.canonical_merchant_name ?? null,
    place_id: row.place_id ?? '',
    address: row.address ?? null,
    phone_number: row.phone_number ?? null,
    validation_status: row.validation_status ?? '',
  }),
  encode: ({ image_id, receipt_id, ...rest }) => ({
    ...rowKey(image_id, `${receiptPath({ image_id, receipt_id })}#METADATA`),
    TYPE: 'RECEIPT_METADATA' as const,
    ...rest,
  }),
});

function ids({ PK, SK }: Readonly<Row>): { image_id: string; receipt_id: number } {
  const groups = KEY.exec(`${PK}#${SK}`)?.groups;
  return { image_id: groups?.['image'] ?? '', receipt_id: Number(groups?.['receipt']) };
}
