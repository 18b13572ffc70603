import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import type { S3StandIn } from 'embedded-aws/s3/s3_stand_in';
import { type RunningS3, startS3 } from 'embedded-aws/s3/test_support';
import { BatchStorage } from 'receipt-embedding/batches/batch_files';

/** A bucket for batches, empty, on an S3 in this process, with a folder for files on their way. */
export class BatchBucket {
  readonly storage: BatchStorage;
  readonly s3: S3Client;
  readonly stand: S3StandIn;
  /** The bucket's name. */
  readonly name = 'receipts';
  readonly #running: RunningS3;
  readonly #folder: string;

  private constructor(running: RunningS3, folder: string) {
    this.s3 = running.client;
    this.stand = running.stand;
    this.storage = new BatchStorage({
      s3: running.client,
      bucket: this.name,
      temporaryFolder: folder,
    });
    this.#running = running;
    this.#folder = folder;
  }

  static async start(): Promise<BatchBucket> {
    return new BatchBucket(
      await startS3('receipts'),
      await mkdtemp(join(tmpdir(), 'batch-bucket-')),
    );
  }

  async close(): Promise<void> {
    await this.#running.stop();
    await rm(this.#folder, { recursive: true });
  }

  put(key: string, text: string): void {
    this.stand.putObject(this.name, key, Buffer.from(text));
  }

  /** The lines of an object. */
  lines(key: string): string[] {
    const text = this.stand.getObject(this.name, key)?.body.toString() ?? '';
    return text.split('\n').slice(0, -1);
  }

  /** What was left in the folder for files on their way. */
  leftBehind(): Promise<string[]> {
    return readdir(this.#folder);
  }
}
