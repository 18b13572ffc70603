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

/** The same as a row may have it: a text is embedded whatever became of what merely describes it. */
export const storedPlacedFields = {
  bounding_box: boundingBoxSchema.optional(),
  top_left: pointSchema.optional(),
  top_right: pointSchema.optional(),
  bottom_left: pointSchema.optional(),
  bottom_right: pointSchema.optional(),
  angle_degrees: z.number().optional(),
  angle_radians: z.number().optional(),
  confidence: z.number().min(0).max(1).optional(),
};

type Placed = z.output<z.ZodObject<typeof placedFields>>;
type StoredPlaced = z.output<z.ZodObject<typeof storedPlacedFields>>;

const DEGREES_OF_A_RADIAN = 180 / Math.PI;

/**
 * The geometry of a row: corners that it lacks are those of its box, a box that it lacks is around its corners, one angle follows from
 * the other. Without any word about it, a line is not turned, and its confidence is 0.
 *
 * @returns zod's `NEVER`, and an issue of the payload, where the row says nothing of where it is.
 */
export function placed(row: StoredPlaced, payload: z.core.ParsePayload): Placed {
  const bounding_box = row.bounding_box ?? boxAround(row);
  if (bounding_box === undefined) {
    payload.issues.push({
      code: 'custom',
      message: 'neither a box nor four corners',
      path: ['bounding_box'],
      input: undefined,
    });
    return z.NEVER;
  }
  const { x, y, width, height } = bounding_box;
  const { angle_degrees, angle_radians } = row;
  return {
    bounding_box,
    top_left: row.top_left ?? { x, y: y + height },
    top_right: row.top_right ?? { x: x + width, y: y + height },
    bottom_left: row.bottom_left ?? { x, y },
    bottom_right: row.bottom_right ?? { x: x + width, y },
    angle_degrees: angle_degrees ?? (angle_radians ?? 0) * DEGREES_OF_A_RADIAN,
    angle_radians: angle_radians ?? (angle_degrees ?? 0) / DEGREES_OF_A_RADIAN,
    confidence: row.confidence ?? 0,
  };
}

function boxAround(row: StoredPlaced): BoundingBox | undefined {
  const { top_left, top_right, bottom_left, bottom_right } = row;
  if (!top_left || !top_right || !bottom_left || !bottom_right) return undefined;
  const corners = [top_left, top_right, bottom_left, bottom_right];
  const xs = corners.map(({ x }) => x);
  const ys = corners.map(({ y }) => y);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

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
  merchant_name: z.string().optional(),
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
    merchant_name: row.merchant_name ?? '',
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
