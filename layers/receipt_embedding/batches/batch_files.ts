import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import type { EmbeddingModel } from '../embeddings/embedder.ts';
import { parsePath, type ReceiptIdentity, receiptPath } from '../entities/keys.ts';
import { InvalidReceiptData } from '../errors.ts';
import { parseJson, withTemporaryFolder, writeLineFile } from '../local_files.ts';
import { BATCH_FILES, EXECUTION_FILES } from '../object_keys.ts';
import { mapSettled } from '../settled_map.ts';
import type { RefusedRecord, StoreName } from '../stores/vector_store.ts';
import { type ObjectLocation, readLines, writeFile, writeText } from '../s3_objects.ts';

const JSON_LINES = 'application/jsonl';

interface BatchStorageSettings {
  readonly s3: S3Client;
  readonly bucket: string;
  /** An existing folder for files on their way; nothing is left there. */
  readonly temporaryFolder: string;
}

/**
 * The files of batches in S3: what each plans, asks for, and gets. Writing one again writes the same over it.
 *
 * @throws InvalidReceiptData when a line of a file is not in its format; what S3 fails with.
 * @example
 * ```ts
 * const storage = new BatchStorage({ s3: createS3Client(), bucket: 'batches-dev', temporaryFolder: tmpdir() });
 * for await (const { custom_id, text } of storage.readPlan(batchId)) …
 * // 'IMAGE#3f52…#RECEIPT#00001#LINE#00001#WORD#00002', 'MILK'
 * ```
 */
export class BatchStorage {
  readonly #settings: BatchStorageSettings;

  constructor(settings: BatchStorageSettings) {
    this.#settings = settings;
  }

  /** Writes the list of an execution's batches. @returns where it lies. */
  async writeManifest(
    workflow: 'batch_submit' | 'batch_poll',
    executionName: string,
    batches: readonly { readonly batch_id: string }[],
  ): Promise<ObjectLocation> {
    const key = EXECUTION_FILES[workflow].manifest(executionName);
    await this.#writeLines(
      key,
      batches.map((batch) => JSON.stringify(batch)),
    );
    return { bucket: this.#settings.bucket, key };
  }

  async writePlan(batchId: string, entities: readonly PlannedEntity[]): Promise<void> {
    await this.#writeLines(
      BATCH_FILES.plan(batchId),
      entities.map((entity) => JSON.stringify(entity)),
    );
  }

  readPlan(batchId: string): AsyncGenerator<PlannedEntity> {
    return this.#read(BATCH_FILES.plan(batchId), plannedEntitySchema);
  }

  /** @returns the number of requests. */
  async writeRequests(
    batchId: string,
    requests: Iterable<string> | AsyncIterable<string>,
  ): Promise<number> {
    return await this.#writeLines(BATCH_FILES.requests(batchId), requests);
  }

  /** Brings the requests of a batch to this machine, for as long as `use` takes. */
  async withRequestsFile<Result>(
    batchId: string,
    use: (path: string) => Promise<Result>,
  ): Promise<Result> {
    const { s3, bucket, temporaryFolder } = this.#settings;
    return await withTemporaryFolder(temporaryFolder, async (folder) => {
      const lines = readLines(s3, { bucket, key: BATCH_FILES.requests(batchId) });
      const { path } = await writeLineFile(join(folder, 'requests.jsonl'), lines);
      return await use(path);
    });
  }

  /** The same for requests of which nothing but the ids is known. */
  async writeRequestedIds(batchId: string, ids: readonly string[]): Promise<void> {
    await this.writeRequests(
      batchId,
      ids.map((custom_id) => JSON.stringify({ custom_id })),
    );
  }

  /** The ids that a batch is planned to embed, in the order of its plan. */
  async *plannedIds(batchId: string): AsyncGenerator<string> {
    for await (const { custom_id } of this.readPlan(batchId)) yield custom_id;
  }

  /** The ids that a batch asks for, in the order of its requests. */
  async *requestedIds(batchId: string): AsyncGenerator<string> {
    for await (const { custom_id } of this.#read(BATCH_FILES.requests(batchId), requestSchema)) {
      yield custom_id;
    }
  }

  /** @returns the part's key. */
  async writePart(batchId: string, part: number, rows: readonly PartRow[]): Promise<string> {
    const key = BATCH_FILES.part(batchId, part);
    await this.#writeWhole(key, rows);
    return key;
  }

  /** A part whole: it is bounded. */
  async readPart(key: string): Promise<PartRow[]> {
    return await this.#readWhole(key, partRowSchema);
  }

  async writeRecords(partKey: string, records: readonly PartRecord[]): Promise<void> {
    await this.#writeWhole(BATCH_FILES.records(partKey), records);
  }

  async readRecords(partKey: string): Promise<PartRecord[]> {
    return await this.#readWhole(BATCH_FILES.records(partKey), partRecordSchema);
  }

  /** Also where it has refused nothing: whoever reads it knows then that the store was asked. */
  async writeRefused(
    partKey: string,
    store: StoreName,
    refused: readonly RefusedRecord[],
  ): Promise<void> {
    await this.#writeWhole(BATCH_FILES.refused(partKey, store), refused);
  }

  async readRefused(partKey: string, store: StoreName): Promise<RefusedRecord[]> {
    return await this.#readWhole(BATCH_FILES.refused(partKey, store), refusedRecordSchema);
  }

  async #writeWhole(key: string, entries: readonly object[]): Promise<void> {
    const { s3, bucket } = this.#settings;
    const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    await writeText(s3, { bucket, key }, text, JSON_LINES);
  }

  async #readWhole<Entry>(key: string, schema: z.ZodType<Entry>): Promise<Entry[]> {
    const entries: Entry[] = [];
    for await (const entry of this.#read(key, schema)) entries.push(entry);
    return entries;
  }

  /** Writes an object of any size, by way of a file. @returns the number of its lines. */
  async #writeLines(key: string, lines: Iterable<string> | AsyncIterable<string>): Promise<number> {
    const { s3, bucket, temporaryFolder } = this.#settings;
    return await withTemporaryFolder(temporaryFolder, async (folder) => {
      const file = await writeLineFile(join(folder, 'lines.jsonl'), lines);
      await writeFile(s3, { bucket, key }, file, JSON_LINES);
      return file.lines;
    });
  }

  async *#read<Entry>(key: string, schema: z.ZodType<Entry>): AsyncGenerator<Entry> {
    const { s3, bucket } = this.#settings;
    for await (const line of readLines(s3, { bucket, key })) {
      const parsed = schema.safeParse(parseJson(line));
      if (!parsed.success) {
        throw new InvalidReceiptData(`s3://${bucket}/${key} has a line that is not in its format`);
      }
      yield parsed.data;
    }
  }
}

/**
 * What OpenAI answered for one line or word of a part: a vector, or why its input was refused.
 * @example
 * ```ts
 * { "custom_id": "IMAGE#3f52…#RECEIPT#00001#LINE#00001", "text": "MILK 3.99", "embedding": "AACAPw==" }
 * ```
 */
const partRowSchema = z.object({
  /** The vector id. */
  custom_id: z.string(),
  /** What was embedded of it; a batch of another system's does not say. */
  text: z.string().optional(),
  /** Of the input that OpenAI got (@see inputHash); unknown like the text. */
  input_hash: z.string().optional(),
  /** Base64 of little-endian float32. */
  embedding: z.string().optional(),
  /** Why OpenAI refused the input. */
  refused: z.string().optional(),
});

export type PartRow = z.output<typeof partRowSchema>;

/** A line or word of a part as its row is now: what the log has of it, the stores get, and the table is told. */
const partRecordSchema = z.object({
  /** The vector id. */
  id: z.string(),
  /** What its row said when it was logged: its status changes only while it still says so. */
  text: z.string(),
  /** Of its receipt's record when it was logged: it tells whether a run has been added since. */
  sequence: z.int().min(0),
  /** Base64 of little-endian float32. */
  embedding: z.string().optional(),
  /** Its vector's. */
  metadata: z.looseObject({ text: z.string() }).optional(),
  /** Why OpenAI refused the input. */
  refused: z.string().optional(),
});

export type PartRecord = z.output<typeof partRecordSchema>;

/** Receipts of a part that are worked on at once. */
const RECEIPTS_AT_ONCE = 8;

/** Does work on each receipt that a part has something of, 8 at once. What is of no receipt is left out. */
export async function forEachReceipt<Entry, Result>(
  entries: readonly Entry[],
  idOf: (entry: Entry) => string,
  work: (receipt: ReceiptIdentity, entries: readonly Entry[]) => Promise<Result>,
): Promise<Result[]> {
  const receipts = new Map<string, ReceiptIdentity>();
  const byReceipt = Map.groupBy(entries, (entry) => {
    const ids = parsePath(idOf(entry));
    if (ids === undefined) return undefined;
    const { image_id, receipt_id } = ids;
    const path = receiptPath(ids);
    receipts.set(path, { image_id, receipt_id });
    return path;
  });
  return await mapSettled(receipts, ([path, receipt]) => work(receipt, byReceipt.get(path) ?? []), {
    atOnce: RECEIPTS_AT_ONCE,
  });
}

const refusedRecordSchema = z.object({ id: z.string(), reason: z.string() });

const plannedEntitySchema = z.object({
  /** The vector id. */
  custom_id: z.string(),
  /** What the row says. It is claimed, and its vector is kept, only while it still says so. */
  text: z.string(),
  /** Whether its row has no status, as legacy rows. @default false */
  status_missing: z.literal(true).optional(),
  /** What OpenAI gets. */
  input: z.string(),
});

/** A line or word that a batch is to embed. */
export type PlannedEntity = z.output<typeof plannedEntitySchema>;

/**
 * A line of a batch's input file at OpenAI, without its end. Vectors are asked for as base64, a third of what numbers take.
 * @example
 * ```ts
 * requestLine({ custom_id, text: 'MILK 3.99', input: 'MILK 3.99' }, { model: 'text-embedding-3-small', dimensions: 1_536 });
 * // '{"custom_id":"IMAGE#3f52…","method":"POST","url":"/v1/embeddings","body":{"model":…,"input":"MILK 3.99",…}}'
 * ```
 */
export function requestLine(
  { custom_id, input }: PlannedEntity,
  { model, dimensions }: EmbeddingModel,
): string {
  return JSON.stringify({
    custom_id,
    method: 'POST',
    url: '/v1/embeddings',
    body: { model, input, encoding_format: 'base64', dimensions },
  });
}

/** What is read of a request: whom it is for. */
const requestSchema = z.object({ custom_id: z.string() });

/** Whom a line of an input file is for; undefined when it is no request. */
export function requestedId(line: string): string | undefined {
  return requestSchema.safeParse(parseJson(line)).data?.custom_id;
}
