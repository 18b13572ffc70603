import { tmpdir } from 'node:os';
import type { Row } from 'receipt-embedding/entities/keys';
import type { DeltaRecord } from 'receipt-embedding/stores/deltas/delta_database';
import { openDelta } from 'receipt-embedding/stores/deltas/read_delta';
import type { TestStack } from './test_stack.ts';

/** What one COMPACTION_RUN record points to. */
export interface StoredRun {
  readonly run: Row;
  readonly lines: readonly DeltaRecord[];
  readonly words: readonly DeltaRecord[];
}

/** Every recorded run with the contents of its two deltas. @throws for a record whose deltas are not there or not right. */
export async function storedRuns(stack: TestStack): Promise<StoredRun[]> {
  const runs = await stack.rowsOfType('COMPACTION_RUN');
  return await Promise.all(
    runs.map(async (run) => ({
      run,
      lines: await readDelta(stack, run, 'lines'),
      words: await readDelta(stack, run, 'words'),
    })),
  );
}

async function readDelta(
  stack: TestStack,
  run: Row,
  collection: 'lines' | 'words',
): Promise<readonly DeltaRecord[]> {
  const prefix = `${collection}/delta/${String(run['run_id'])}/`;
  if (run[`${collection}_delta_prefix`] !== prefix) throw new Error(`${run.SK} points elsewhere`);
  const key = `${prefix}delta.tar.gz`;
  const object = stack.local.aws.s3.getObject(stack.local.bucket, key);
  if (object === undefined) throw new Error(`${run.SK} points to ${key}, which does not exist`);
  const expected = {
    run_id: run['run_id'],
    image_id: run['image_id'],
    receipt_id: String(run['receipt_id']),
    collection,
    delta_key: prefix,
  };
  for (const [name, value] of Object.entries(expected)) {
    if (object.metadata[name] !== value) {
      throw new Error(`${key} says ${name}: ${object.metadata[name] ?? 'nothing'}`);
    }
  }
  const delta = await openDelta(object.body, tmpdir());
  if (delta.collection !== collection) {
    throw new Error(`${key} holds the collection ${delta.collection}`);
  }
  return delta.records;
}
