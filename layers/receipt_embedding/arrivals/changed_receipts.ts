import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { parseKey, type ReceiptIdentity, receiptPath, type RowKey } from '../entities/keys.ts';
import { CLAIM_ATTRIBUTE } from '../table/embedding_statuses.ts';
import { REFUSAL_ATTRIBUTE } from '../table/unexplained_refusals.ts';
import { ARRIVING_TYPES } from './arriving_types.ts';

/**
 * What our own runs and batches change of a line or word. A change of nothing else starts nothing: a run would wake itself. Whoever
 * sets a status back to `NONE` finds the row embedded by the next schedule, or starts an execution.
 */
const OWN_ATTRIBUTES: readonly string[] = [
  'embedding_status',
  'GSI1PK',
  CLAIM_ATTRIBUTE,
  REFUSAL_ATTRIBUTE,
];

/** In DynamoDB's JSON: the type's letter and the value. */
const imageSchema = z.record(z.string(), z.unknown());
const textSchema = z.object({ S: z.string() });

/** A record of the table's stream, as Lambda and GetRecords give it (API reference of DynamoDB Streams, `StreamRecord`). */
export const streamRecordSchema = z.object({
  dynamodb: z.object({
    Keys: z.object({ PK: textSchema, SK: textSchema }),
    NewImage: imageSchema.optional(),
    OldImage: imageSchema.optional(),
    SequenceNumber: z.string().regex(/^\d{1,40}$/),
  }),
});

type StreamRecord = z.output<typeof streamRecordSchema>;

/** A receipt that has changed, and its changes within one batch of records. */
export interface ChangedReceipt extends ReceiptIdentity {
  /** The sequence number of its first record, as the stream has it: a batch that failed begins again there. */
  readonly first: string;
  /** The newest change. @see changeOf */
  readonly change: string;
}

export interface Changes {
  /** Each once, in the order of their first records. */
  readonly receipts: readonly ChangedReceipt[];
  /** Records of rows that are embedded, whose keys name no receipt. */
  readonly invalid: readonly RowKey[];
  /** Records that change nothing but statuses and claims. */
  readonly own: number;
}

/**
 * Which receipts a batch of records changes. Of a receipt's rows each lies in the same partition, so that sequence numbers tell the
 * order of its records, also where they come twice or late.
 *
 * @example
 * changedReceipts([{ dynamodb: { Keys, NewImage: { TYPE: { S: 'RECEIPT_LINE' }, … }, SequenceNumber: '111…' } }])
 * // { receipts: [{ image_id: '3f52…', receipt_id: 1, first: '111…', change: '000111…' }], invalid: [], own: 0 }
 */
export function changedReceipts(records: readonly StreamRecord[]): Changes {
  const receipts = new Map<string, ChangedReceipt>();
  const invalid: RowKey[] = [];
  let own = 0;
  for (const { dynamodb } of records) {
    if (!isOfReceipt(dynamodb)) continue;
    if (isOwnChange(dynamodb)) {
      own++;
      continue;
    }
    const key = { PK: dynamodb.Keys.PK.S, SK: dynamodb.Keys.SK.S };
    const receipt = receiptOf(key);
    if (receipt === undefined) {
      invalid.push(key);
      continue;
    }
    const { SequenceNumber: number } = dynamodb;
    const change = changeOf(number);
    const known = receipts.get(receiptPath(receipt));
    receipts.set(receiptPath(receipt), {
      ...receipt,
      first: known === undefined || change < changeOf(known.first) ? number : known.first,
      change: known === undefined || change > known.change ? change : known.change,
    });
  }
  return { receipts: [...receipts.values()], invalid, own };
}

/** A sequence number as a text that sorts as it counts: it has up to 40 digits (API reference of DynamoDB Streams). */
export function changeOf(sequenceNumber: string): string {
  return sequenceNumber.padStart(40, '0');
}

function isOfReceipt({ NewImage, OldImage }: StreamRecord['dynamodb']): boolean {
  const { data } = textSchema.safeParse((NewImage ?? OldImage)?.['TYPE']);
  return ARRIVING_TYPES.some((type) => type === data?.S);
}

/** A row that comes or goes is nobody's status. */
function isOwnChange({ NewImage, OldImage }: StreamRecord['dynamodb']): boolean {
  if (NewImage === undefined || OldImage === undefined) return false;
  return isDeepStrictEqual(withoutOwn(NewImage), withoutOwn(OldImage));
}

function withoutOwn(image: z.output<typeof imageSchema>): z.output<typeof imageSchema> {
  return Object.fromEntries(
    Object.entries(image).filter(([name]) => !OWN_ATTRIBUTES.includes(name)),
  );
}

/** `RECEIPT#00001#METADATA` is of the receipt `RECEIPT#00001`, as are its lines, words and labels. */
function receiptOf({ PK, SK }: RowKey): ReceiptIdentity | undefined {
  const [kind, number] = SK.split('#');
  const parts = parseKey({ PK, SK: `${kind ?? ''}#${number ?? ''}` });
  return parts && { image_id: parts.image_id, receipt_id: parts.receipt_id };
}
