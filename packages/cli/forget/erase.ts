import type { S3Client } from '@aws-sdk/client-s3';
import {
  type EmbeddedReceipt,
  embeddedReceiptKey,
} from 'receipt-embedding/entities/embedded_receipt';
import { withoutTrust } from 'receipt-embedding/entities/record_changes';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import { ConcurrentUpdate } from 'receipt-embedding/errors';
import { writeEmbeddedReceipt } from 'receipt-embedding/table/embedded_receipts';
import { latestChangeKey } from 'receipt-embedding/table/latest_changes';
import { deleteRows } from 'receipt-embedding/table/row_batches';
import { deleteRow, type Table } from 'receipt-embedding/table/table';
import { WrongArgument } from '../command_line/arguments.ts';
import type { OpenedStore } from '../stores/stack_stores.ts';
import { eraseFromBatch, type ErasedFromBatch } from './batch_parts.ts';
import type { Holdings } from './holdings.ts';
import { deleteVersions } from './object_versions.ts';
import { removeVectors } from './stored_ids.ts';

export interface ErasePorts {
  readonly table: Table;
  readonly s3: S3Client;
  readonly chromadbBucket: string;
  readonly batchBucket: string;
  /** An existing folder to work in; nothing is left there. */
  readonly temporaryFolder: string;
  /** A store that was found, by its identity. */
  readonly storeOf: (identity: string) => OpenedStore;
  /** Ends it between two steps. */
  readonly signal: AbortSignal;
  readonly onStep: (text: string, share: number) => void;
}

/** What was removed. */
export interface Erased {
  /** By the store's identity: ids that it was told to remove. */
  readonly vectors: Readonly<Record<string, number>>;
  /** Versions of deltas. */
  readonly delta_versions: number;
  readonly compaction_runs: number;
  readonly batch_files: ErasedFromBatch;
  readonly results: number;
  /** False where there was none. */
  readonly record: boolean;
}

/**
 * Removes what is held of a receipt. The record is emptied first, so that whoever runs meanwhile takes nothing of what is going for granted,
 * and deleted last: a crash between any two steps is repaired by doing it all again. What leads to something else goes after it: deltas
 * before the rows that name their runs, files of batches before the results that name their batches.
 *
 * @throws WrongArgument when an execution has changed the record meanwhile; what AWS and the stores refuse.
 */
export async function erase(
  receipt: ReceiptIdentity,
  holdings: Holdings,
  ports: ErasePorts,
): Promise<Erased> {
  const { table, s3, temporaryFolder, signal, onStep } = ports;
  const { record: read, stores, deltas, compaction_runs, batches, results } = holdings;
  const steps = stores.length + batches.length + 4;
  let step = 0;
  const next = (text: string): void => {
    signal.throwIfAborted();
    onStep(text, step++ / steps);
  };
  let record: EmbeddedReceipt | undefined;
  if (read !== undefined) {
    next('Marking the record');
    record = await emptied(table, read);
  }
  const vectors: Record<string, number> = {};
  for (const { name, identity } of stores) {
    next(`Removing vectors from ${name}`);
    const store = ports.storeOf(identity);
    vectors[identity] = await removeVectors(store, receipt, holdings.ids);
  }
  next('Deleting deltas');
  await deleteVersions({ s3, bucket: ports.chromadbBucket }, deltas);
  await deleteRows(table, [...compaction_runs, latestChangeKey(receipt)]);
  const batch_files = { lines: 0, rewritten: 0, deleted: 0 };
  for (const { batch_id } of batches) {
    next(`Looking through the files of the batch ${batch_id}`);
    const bucket = ports.batchBucket;
    const erased = await eraseFromBatch(batch_id, receipt, { s3, bucket, temporaryFolder });
    batch_files.lines += erased.lines;
    batch_files.rewritten += erased.rewritten;
    batch_files.deleted += erased.deleted;
  }
  next('Deleting results');
  await deleteRows(table, results);
  if (record !== undefined) {
    next('Deleting the record');
    await deleteRecord(table, record);
  }
  return {
    vectors,
    delta_versions: deltas.length,
    compaction_runs: compaction_runs.length,
    batch_files,
    results: results.length,
    record: record !== undefined,
  };
}

async function emptied(table: Table, read: EmbeddedReceipt): Promise<EmbeddedReceipt> {
  try {
    return await writeEmbeddedReceipt(table, read, withoutTrust(read));
  } catch (error) {
    if (!(error instanceof ConcurrentUpdate)) throw error;
    throw new WrongArgument(
      'Nothing was removed: an execution has changed the record of the receipt meanwhile. Run the same command again.',
    );
  }
}

async function deleteRecord(table: Table, record: EmbeddedReceipt): Promise<void> {
  if (await deleteRow(table, embeddedReceiptKey(record), { version: record.version })) return;
  throw new WrongArgument(
    'An execution has embedded the receipt again meanwhile. Delete its rows first if it is to stay forgotten, then run the same command.',
  );
}
