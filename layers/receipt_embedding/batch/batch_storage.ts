import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { readLines, writeFile, writeText, type ObjectLocation } from '../aws/objects.ts';
import { InvalidReceiptData } from '../errors.ts';
import { writeLineFile } from '../files/line_file.ts';
import { parseJson } from '../files/parse_json.ts';
import { withTemporaryFolder } from '../files/temporary_folder.ts';
import { manifestKey, planKey, requestsKey, resultPartKey } from './batch_files.ts';
import { partRowSchema, type PartRow } from './part_row.ts';
import { plannedEntitySchema, requestSchema, type PlannedEntity } from './planned_entity.ts';

const JSON_LINES = 'application/jsonl';

export interface BatchStorageSettings {
  readonly s3: S3Client;
  readonly bucket: string;
  /** An existing folder for files on their way; nothing is left there. */
  readonly temporaryFolder: string;
}

/** The files of batches in S3: what each wants, asks for, and gets. Writing one again writes the same over it. */
export class BatchStorage {
  readonly #settings: BatchStorageSettings;

  constructor(settings: BatchStorageSettings) {
    this.#settings = settings;
  }

  /** Writes the list of an execution's batches. @returns where it lies. */
  async writeManifest(
    folder: 'submits' | 'polls',
    executionName: string,
    batches: readonly { readonly batch_id: string }[],
  ): Promise<ObjectLocation> {
    const key = manifestKey(folder, executionName);
    await this.#writeLines(
      key,
      batches.map((batch) => JSON.stringify(batch)),
    );
    return { bucket: this.#settings.bucket, key };
  }

  async writePlan(batchId: string, entities: readonly PlannedEntity[]): Promise<void> {
    await this.#writeLines(
      planKey(batchId),
      entities.map((entity) => JSON.stringify(entity)),
    );
  }

  readPlan(batchId: string): AsyncGenerator<PlannedEntity> {
    return this.#read(planKey(batchId), plannedEntitySchema);
  }

  /** @returns the number of requests. */
  async writeRequests(
    batchId: string,
    requests: Iterable<string> | AsyncIterable<string>,
  ): Promise<number> {
    return await this.#writeLines(requestsKey(batchId), requests);
  }

  /** Brings the requests of a batch to this machine, for as long as `use` takes. */
  async withRequestsFile<Result>(
    batchId: string,
    use: (path: string) => Promise<Result>,
  ): Promise<Result> {
    const { s3, bucket, temporaryFolder } = this.#settings;
    return await withTemporaryFolder(temporaryFolder, async (folder) => {
      const lines = readLines(s3, { bucket, key: requestsKey(batchId) });
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

  /** The ids that a batch wants, in the order of its plan. */
  async *plannedIds(batchId: string): AsyncGenerator<string> {
    for await (const { custom_id } of this.readPlan(batchId)) yield custom_id;
  }

  /** The ids that a batch asks for, in the order of its requests. */
  async *requestedIds(batchId: string): AsyncGenerator<string> {
    for await (const { custom_id } of this.#read(requestsKey(batchId), requestSchema)) {
      yield custom_id;
    }
  }

  /** @returns the part's key. */
  async writePart(batchId: string, part: number, rows: readonly PartRow[]): Promise<string> {
    const { s3, bucket } = this.#settings;
    const key = resultPartKey(batchId, part);
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    await writeText(s3, { bucket, key }, text, JSON_LINES);
    return key;
  }

  /** A part whole: it is bounded. */
  async readPart(key: string): Promise<PartRow[]> {
    const rows: PartRow[] = [];
    for await (const row of this.#read(key, partRowSchema)) rows.push(row);
    return rows;
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
