import pMap from 'p-map';
import { createS3Client } from 'receipt-embedding/aws_clients';
import { type ReceiptIdentity, receiptIdentitySchema } from 'receipt-embedding/entities/keys';
import { embeddingStatusSchema } from 'receipt-embedding/entities/line_and_word';
import { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import { writeText } from 'receipt-embedding/s3_objects';
import { listReceipts, receiptsWithStatus, SHARDS } from 'receipt-embedding/table/receipt_listing';
import { z } from 'zod';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler, executionFields, firstInput } from '../runtime/handler.ts';
import { declaration } from './declaration.ts';

/** What the state machine was started with, and the context of that execution beside it. */
export const findReceiptsInputSchema = z.strictObject({
  /** At most so many receipts. */
  limit: z.int().min(1).optional(),
  /** Only receipts with at least one line or word to embed that has this status. */
  filter_by_embedding_status: embeddingStatusSchema.exclude(['NOISE']).optional(),
  /** The `last_evaluated_key` of an earlier answer: the list goes on behind it. */
  exclusive_start_key: receiptIdentitySchema.nullish(),
  /** Embed again what is embedded already. */
  force: z.boolean().optional(),
  ...executionFields,
});

export type FindReceiptsInput = z.output<typeof findReceiptsInputSchema>;

export interface FindReceiptsOutput {
  /** The list itself up to 1,000 receipts, else empty: a state's payload ends at 256 KiB. */
  readonly receipts: readonly ReceiptIdentity[];
  readonly total_receipts: number;
  /** Null unless `limit` cut the listing. */
  readonly last_evaluated_key: ReceiptIdentity | null;
  /** The whole list, as JSON lines in S3. */
  readonly manifest: { readonly bucket: string; readonly key: string };
  readonly execution_name: string;
  readonly force: boolean;
  /** Rows that could not be read, and were skipped and logged. */
  readonly invalid_rows: number;
}

const environment = readEnvironment(declaration);
const table = openTable(environment);
const s3 = createS3Client();

/**
 * Finds the receipts to process, and writes their list where the Map reads it.
 *
 * @example
 * // event: what the execution was started with, and which it is
 * { input: { limit: 1 }, execution_name: 'run-1', execution_id: 'arn:…' }
 * // answer
 * {
 *   receipts: [{ image_id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', receipt_id: 1 }],
 *   total_receipts: 1,
 *   last_evaluated_key: { image_id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', receipt_id: 1 },
 *   manifest: { bucket: 'chromadb-bucket', key: 'runs/run-1/receipts.jsonl' },
 *   execution_name: 'run-1', force: false, invalid_rows: 0,
 * }
 */
export const handler = createHandler(declaration, {
  input: firstInput(findReceiptsInputSchema),
  handle: async (input, { logger, metrics, requestId }) => {
    const invalid = { count: 0 };
    const found = await findReceipts(
      input,
      {
        listAll: (after) => listReceipts(table, after, invalid, logger),
        listByStatus: (status, shard, after) =>
          receiptsWithStatus({ table, status, after, invalid, logger }, shard),
        shards: SHARDS,
        invalidRows: () => invalid.count,
        writeManifest: async (executionName, receipts) => {
          const key = EXECUTION_FILES.realtime.manifest(executionName);
          const manifest = { bucket: environment.CHROMADB_BUCKET, key };
          await writeText(s3, manifest, toJsonLines(receipts), 'application/jsonl');
          return manifest;
        },
      },
      requestId,
    );
    metrics.count('InvalidRows', invalid.count);
    logger.info('receipts found', {
      total_receipts: found.total_receipts,
      invalid_rows: found.invalid_rows,
    });
    return found;
  },
});

type Listing = AsyncGenerator<ReceiptIdentity>;

export interface FindReceiptsPorts {
  /** Every receipt. */
  readonly listAll: (after: ReceiptIdentity | undefined) => Listing;
  /** Receipts with a line or word of this status, by shard, in the order of `shards`. */
  readonly listByStatus: (
    status: NonNullable<FindReceiptsInput['filter_by_embedding_status']>,
    shard: string,
    after: ReceiptIdentity | undefined,
  ) => Listing;
  readonly shards: readonly string[];
  readonly invalidRows: () => number;
  /** @returns where the list was written. */
  readonly writeManifest: (
    executionName: string,
    receipts: readonly ReceiptIdentity[],
  ) => Promise<FindReceiptsOutput['manifest']>;
}

/** A receipt takes about 75 bytes here, so a thousand leave two thirds of a payload's 256 KiB free. */
const INLINE_RECEIPTS = 1_000;
const SHARDS_AT_ONCE = 8;

/** @param defaultName names the files where no execution calls. */
export async function findReceipts(
  input: FindReceiptsInput,
  ports: FindReceiptsPorts,
  defaultName: string,
): Promise<FindReceiptsOutput> {
  const { limit, force = false, Name: executionName = defaultName } = input;
  // One more than asked for tells whether the limit cut anything.
  const found = await list(input, ports, limit === undefined ? undefined : limit + 1);
  const receipts = limit === undefined ? found : found.slice(0, limit);
  return {
    receipts: receipts.length <= INLINE_RECEIPTS ? receipts : [],
    total_receipts: receipts.length,
    last_evaluated_key: (found.length > receipts.length ? receipts.at(-1) : undefined) ?? null,
    manifest: await ports.writeManifest(executionName, receipts),
    execution_name: executionName,
    force,
    invalid_rows: ports.invalidRows(),
  };
}

async function list(
  { filter_by_embedding_status: status, exclusive_start_key }: FindReceiptsInput,
  ports: FindReceiptsPorts,
  most: number | undefined,
): Promise<ReceiptIdentity[]> {
  const after = exclusive_start_key ?? undefined;
  if (status === undefined) return await take([ports.listAll(after)], most);
  const shards = ports.shards.map((shard) => ports.listByStatus(status, shard, after));
  // With a limit the shards go one after the other: a listing that goes on later must have no holes.
  if (most !== undefined) return await take(shards, most);
  const lists = await pMap(shards, (shard) => take([shard], undefined), {
    concurrency: SHARDS_AT_ONCE,
  });
  return lists.flat();
}

async function take(
  listings: readonly Listing[],
  most: number | undefined,
): Promise<ReceiptIdentity[]> {
  const receipts: ReceiptIdentity[] = [];
  for (const listing of listings) {
    for await (const receipt of listing) {
      receipts.push(receipt);
      if (receipts.length === most) return receipts;
    }
  }
  return receipts;
}

/** One JSON text a line. */
export function toJsonLines(values: Iterable<unknown>): string {
  let text = '';
  for (const value of values) text += `${JSON.stringify(value)}\n`;
  return text;
}
