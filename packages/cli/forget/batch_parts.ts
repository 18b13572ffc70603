import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { type ReceiptIdentity, receiptPath } from 'receipt-embedding/entities/keys';
import { withTemporaryFolder, writeLineFile } from 'receipt-embedding/local_files';
import { BATCH_FILES } from 'receipt-embedding/object_keys';
import { readLines, writeFile } from 'receipt-embedding/s3_objects';
import { deleteVersions, listVersions, type ObjectVersion } from './object_versions.ts';

interface BatchFilePorts {
  readonly s3: S3Client;
  readonly bucket: string;
  /** An existing folder to work in; nothing is left there. */
  readonly temporaryFolder: string;
}

/** What was removed of the files of a batch. */
export interface ErasedFromBatch {
  readonly lines: number;
  /** Written again without the receipt. */
  readonly rewritten: number;
  /** They had nothing else. */
  readonly deleted: number;
}

/**
 * Removes the lines of a receipt from the files of a batch that has ended: plan, requests, results. A file that has nothing else is deleted.
 * Old versions of all of the batch's files go too: nobody needs those of a batch that has ended, and a try that died may have left some that
 * have the receipt.
 */
export async function eraseFromBatch(
  batchId: string,
  receipt: ReceiptIdentity,
  ports: BatchFilePorts,
): Promise<ErasedFromBatch> {
  const prefix = `${BATCH_FILES.prefix}${batchId}/`;
  const current: ObjectVersion[] = [];
  for await (const version of listVersions(ports, prefix)) {
    if (version.latest && !version.marker) current.push(version);
  }
  const erased = { lines: 0, rewritten: 0, deleted: 0 };
  // Deleted with all their versions at once: without its newest one, an object is what its version before says.
  const emptied = new Set<string>();
  for (const file of current) {
    const { kept, left } = await eraseFromFile(file, receipt, ports);
    erased.lines += left;
    if (left > 0 && kept > 0) erased.rewritten++;
    if (left > 0 && kept === 0) emptied.add(file.key);
  }
  const old: ObjectVersion[] = [];
  for await (const version of listVersions(ports, prefix)) {
    if (!version.latest || version.marker || emptied.has(version.key)) old.push(version);
  }
  await deleteVersions(ports, old);
  erased.deleted = emptied.size;
  return erased;
}

/** @returns lines that stay, and lines that were the receipt's. */
async function eraseFromFile(
  { key }: ObjectVersion,
  receipt: ReceiptIdentity,
  { s3, bucket, temporaryFolder }: BatchFilePorts,
): Promise<{ readonly kept: number; readonly left: number }> {
  // Each line has the id of one line or word: the only text of it that begins so.
  const own = `"${receiptPath(receipt)}#`;
  let left = 0;
  async function* others(): AsyncGenerator<string> {
    for await (const line of readLines(s3, { bucket, key })) {
      if (line.includes(own)) left++;
      else yield line;
    }
  }
  return await withTemporaryFolder(temporaryFolder, async (folder) => {
    const file = await writeLineFile(join(folder, 'lines.jsonl'), others());
    if (left > 0 && file.lines > 0) {
      await writeFile(s3, { bucket, key }, file, 'application/jsonl');
    }
    return { kept: file.lines, left };
  });
}
