import { z } from 'zod';
import { imageIdSchema, ordinalSchema, receiptPath, rowKey } from './keys.ts';
import { keyFields, type Row } from './row.ts';

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

const storedSchema = z.looseObject({
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

/** Row ⇄ ReceiptMetadata (docs/data_model.md §1). */
export const receiptMetadataCodec = z.codec(storedSchema, receiptMetadataSchema, {
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
