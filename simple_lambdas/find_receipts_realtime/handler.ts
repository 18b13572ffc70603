import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createS3Client } from 'receipt-embedding/aws_clients';
import {
  type ReceiptIdentity,
  receiptIdentitySchema,
  receiptPath,
} from 'receipt-embedding/entities/keys';
import { embeddingStatusSchema } from 'receipt-embedding/entities/line_and_word';
import {
  joinFiles,
  type LineFile,
  withTemporaryFolder,
  writeLineFile,
} from 'receipt-embedding/local_files';
import { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import { writeFile } from 'receipt-embedding/s3_objects';
import { mapSettled } from 'receipt-embedding/settled_map';
import { listGoneReceipts } from 'receipt-embedding/table/gone_receipts';
import { listReceipts, receiptsWithStatus, SHARDS } from 'receipt-embedding/table/receipt_listing';
import { z } from 'zod';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler, executionFields, firstInput } from '../runtime/handler.ts';
import { declaration, MOST_NAMED_RECEIPTS } from './declaration.ts';

/** What lists receipts by itself, or asks about a list: it means nothing where receipts are named. */
const LISTING_FIELDS = [
  'limit',
  'filter_by_embedding_status',
  'exclusive_start_key',
  'alone',
] as const;

/** What the state machine was started with, and the context of that execution beside it. */
export const findReceiptsInputSchema = z
  .strictObject({
    /** These receipts, each once, and no others. */
    receipts: z
      .array(z.strictObject(receiptIdentitySchema.shape))
      .min(1)
      .max(MOST_NAMED_RECEIPTS)
      .optional(),
    /** At most so many receipts. */
    limit: z.int().min(1).optional(),
    /** Only receipts with at least one line or word to embed that has this status. */
    filter_by_embedding_status: embeddingStatusSchema.exclude(['NOISE']).optional(),
    /** The `last_evaluated_key` of an earlier answer: the list goes on behind it. */
    exclusive_start_key: receiptIdentitySchema.nullish(),
    /** Embed again what is embedded already. */
    force: z.boolean().optional(),
    ...executionFields,
  })
  .superRefine((input, context) => {
    if (input.receipts === undefined) return;
    for (const field of LISTING_FIELDS.filter((name) => (input[name] ?? undefined) !== undefined)) {
      context.addIssue({ code: 'custom', path: [field], message: 'it can not go with receipts' });
    }
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
        listGone: () => listGoneReceipts(table, invalid, logger),
        listByStatus: (status, shard, after) =>
          receiptsWithStatus({ table, status, after, invalid, logger }, shard),
        shards: SHARDS,
        invalidRows: () => invalid.count,
        temporaryFolder: tmpdir(),
        writeManifest: async (executionName, file) => {
          const key = EXECUTION_FILES.realtime.manifest(executionName);
          const manifest = { bucket: environment.CHROMADB_BUCKET, key };
          await writeFile(s3, manifest, file, 'application/jsonl');
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
  /** Receipts that are gone, and whose vectors are not. */
  readonly listGone: () => Listing;
  /** Receipts with a line or word of this status, by shard, in the order of `shards`. */
  readonly listByStatus: (
    status: NonNullable<FindReceiptsInput['filter_by_embedding_status']>,
    shard: string,
    after: ReceiptIdentity | undefined,
  ) => Listing;
  readonly shards: readonly string[];
  readonly invalidRows: () => number;
  /** An existing folder for the list: it does not fit in memory. */
  readonly temporaryFolder: string;
  /** @returns where the list was written. */
  readonly writeManifest: (
    executionName: string,
    file: LineFile,
  ) => Promise<FindReceiptsOutput['manifest']>;
}

/** A receipt takes about 75 bytes here, so a thousand leave two thirds of a payload's 256 KiB free. */
const INLINE_RECEIPTS = 1_000;
const SHARDS_AT_ONCE = 8;

/**
 * In memory that does not grow with the receipts: their list is a file, and goes from there to S3.
 *
 * @param defaultName names the files where no execution calls.
 */
export async function findReceipts(
  input: FindReceiptsInput,
  ports: FindReceiptsPorts,
  defaultName: string,
): Promise<FindReceiptsOutput> {
  const { force = false, Name: executionName = defaultName } = input;
  return await withTemporaryFolder(ports.temporaryFolder, async (folder) => {
    const { file, first, last, more } = await list(input, ports, folder);
    return {
      receipts: file.lines <= INLINE_RECEIPTS ? first : [],
      total_receipts: file.lines,
      last_evaluated_key: (more ? last : undefined) ?? null,
      manifest: await ports.writeManifest(executionName, file),
      execution_name: executionName,
      force,
      invalid_rows: ports.invalidRows(),
    };
  });
}

/** A list on disk, and what the answer says of it. */
interface FoundReceipts {
  readonly file: LineFile;
  /** As many as may be in an answer. */
  readonly first: readonly ReceiptIdentity[];
  readonly last: ReceiptIdentity | undefined;
  /** Whether the limit left any out. */
  readonly more: boolean;
}

async function list(
  { receipts, filter_by_embedding_status: status, exclusive_start_key, limit }: FindReceiptsInput,
  ports: FindReceiptsPorts,
  folder: string,
): Promise<FoundReceipts> {
  const after = exclusive_start_key ?? undefined;
  const whole = join(folder, 'receipts.jsonl');
  if (receipts !== undefined) return await write(whole, [eachOnce(receipts)], undefined);
  if (status === undefined) {
    // A full run looks for what is gone as well: only it has seen everything that is there.
    const isFull = after === undefined && limit === undefined;
    const gone = isFull ? [ports.listGone()] : [];
    return await write(whole, [ports.listAll(after), ...gone], limit);
  }
  const shards = ports.shards.map((shard) => ports.listByStatus(status, shard, after));
  // With a limit the shards go one after the other: a listing that goes on later must have no holes.
  if (limit !== undefined) return await write(whole, shards, limit);
  const found = await mapSettled(
    shards,
    (shard, at) => write(join(folder, `${at}.jsonl`), [shard], undefined),
    { atOnce: SHARDS_AT_ONCE },
  );
  return {
    file: joinFiles(found.map(({ file }) => file)),
    first: found.flatMap(({ first }) => first).slice(0, INLINE_RECEIPTS),
    last: undefined,
    more: false,
  };
}

// eslint-disable-next-line @typescript-eslint/require-await -- a listing like those of the table
async function* eachOnce(receipts: readonly ReceiptIdentity[]): Listing {
  yield* new Map(receipts.map((receipt) => [receiptPath(receipt), receipt])).values();
}

/** Writes listings to a file, one after the other; one receipt more than the limit tells whether it cut anything. */
async function write(
  path: string,
  listings: readonly Listing[],
  limit = Infinity,
): Promise<FoundReceipts> {
  const first: ReceiptIdentity[] = [];
  let last: ReceiptIdentity | undefined;
  let more = false;
  async function* lines(): AsyncGenerator<string> {
    let count = 0;
    for (const listing of listings) {
      for await (const receipt of listing) {
        if (count === limit) {
          more = true;
          return;
        }
        count++;
        last = receipt;
        if (first.length < INLINE_RECEIPTS) first.push(receipt);
        yield JSON.stringify(receipt);
      }
    }
  }
  const file = await writeLineFile(path, lines());
  return { file, first, last, more };
}
