import { isHeldAnywhere } from 'receipt-embedding/entities/embedded_receipt';
import {
  imageIdSchema,
  ordinalSchema,
  type ReceiptIdentity,
  receiptPath,
  rowKey,
} from 'receipt-embedding/entities/keys';
import { DELTAS, deltaKey } from 'receipt-embedding/object_keys';
import { iterateSettled } from 'receipt-embedding/settled_map';
import { readEmbeddedReceipt } from 'receipt-embedding/table/embedded_receipts';
import { listGoneReceipts } from 'receipt-embedding/table/gone_receipts';
import { listReceipts } from 'receipt-embedding/table/receipt_listing';
import { getRow, type Table } from 'receipt-embedding/table/table';
import { type BucketPorts, listFolders, metadataOf } from '../forget/object_versions.ts';
import { Random } from '../synthetic_receipts/random.ts';
import { SILENT_LOGGER } from '../table/silent_logger.ts';

/** A receipt to compare. */
export interface ListedReceipt {
  readonly receipt: ReceiptIdentity;
  /** The run of a delta that names it, where neither a row nor a record does. */
  readonly run?: string;
}

/** How many there are, counted as they are listed. */
export interface ListedCounts {
  /** Receipts of the table. */
  receipts: number;
  /** Records whose receipts are gone from the table. */
  gone: number;
  /** Deltas of which no row and no record tells. */
  unknown_deltas: number;
  /** Rows and records that can't be read. */
  invalid: number;
}

export interface ListingPorts {
  readonly table: Table;
  readonly deltas: BucketPorts;
}

/**
 * So many receipts of the table, each with the same chance, and all that are gone and have something somewhere. It reads the keys of all.
 *
 * @param seed the same seed and the same table, the same receipts.
 */
export async function* sampledReceipts(
  size: number,
  seed: string,
  counts: ListedCounts,
  { table }: ListingPorts,
): AsyncGenerator<ListedReceipt> {
  const random = new Random(seed);
  const sample: ReceiptIdentity[] = [];
  const invalid = { count: 0 };
  for await (const receipt of listReceipts(table, undefined, invalid, SILENT_LOGGER)) {
    counts.receipts++;
    if (sample.length < size) {
      sample.push(receipt);
      continue;
    }
    const at = random.int(0, counts.receipts - 1);
    if (at < size) sample[at] = receipt;
  }
  counts.invalid += invalid.count;
  for (const receipt of sample) yield { receipt };
  yield* goneReceipts(counts, table);
}

/**
 * Every receipt of the table, then every one that is gone and has a record, then those that only a delta tells of: those of a table that
 * was restored from a backup.
 *
 * @param after goes on behind this receipt of the table.
 */
export async function* everyReceipt(
  after: ReceiptIdentity | undefined,
  counts: ListedCounts,
  ports: ListingPorts,
): AsyncGenerator<ListedReceipt> {
  const { table } = ports;
  const invalid = { count: 0 };
  for await (const receipt of listReceipts(table, after, invalid, SILENT_LOGGER)) {
    counts.receipts++;
    yield { receipt };
  }
  counts.invalid += invalid.count;
  yield* goneReceipts(counts, table);
  yield* unknownReceipts(counts, ports);
}

async function* goneReceipts(counts: ListedCounts, table: Table): AsyncGenerator<ListedReceipt> {
  const invalid = { count: 0 };
  for await (const receipt of listGoneReceipts(table, invalid, SILENT_LOGGER)) {
    counts.gone++;
    yield { receipt };
  }
  counts.invalid += invalid.count;
}

/** Deltas asked about at once. */
const ASKED_AT_ONCE = 16;

/** The receipts of deltas, where neither a row nor a record tells of them. */
async function* unknownReceipts(
  counts: ListedCounts,
  { table, deltas }: ListingPorts,
): AsyncGenerator<ListedReceipt> {
  // Receipts that are gone: they are few. A further run of one is looked at when nothing of the first is left.
  const yielded = new Set<string>();
  for (const [collection, prefix] of Object.entries(DELTAS)) {
    const found = iterateSettled(
      listFolders(deltas, prefix),
      async (folder): Promise<ListedReceipt | undefined> => {
        const run = folder.slice(prefix.length, -1);
        const key = deltaKey(collection as keyof typeof DELTAS, run);
        const metadata = await metadataOf(deltas, {
          ...{ key, version: 'null', latest: true, marker: false, bytes: 0 },
        });
        const receipt = receiptOf(metadata);
        if (receipt === undefined) return undefined;
        return (await isKnown(table, receipt)) ? undefined : { receipt, run };
      },
      { atOnce: ASKED_AT_ONCE },
    );
    for await (const unknown of found) {
      if (unknown === undefined) continue;
      counts.unknown_deltas++;
      const path = receiptPath(unknown.receipt);
      if (!yielded.has(path)) yield unknown;
      yielded.add(path);
    }
  }
}

/** A delta of an older system may name no receipt. */
function receiptOf(
  metadata: Readonly<Record<string, string>> | undefined,
): ReceiptIdentity | undefined {
  const image = imageIdSchema.safeParse(metadata?.['image_id']);
  const receipt = ordinalSchema.safeParse(Number(metadata?.['receipt_id']));
  if (!image.success || !receipt.success) return undefined;
  return { image_id: image.data, receipt_id: receipt.data };
}

/** Whether a row, or a record that has something somewhere, has had it compared already. */
async function isKnown(table: Table, receipt: ReceiptIdentity): Promise<boolean> {
  const own = rowKey(receipt.image_id, receiptPath(receipt));
  if ((await getRow(table, own, { ProjectionExpression: 'PK' })) !== undefined) return true;
  const record = await readEmbeddedReceipt(table, receipt);
  return record !== undefined && isHeldAnywhere(record);
}
