import { tmpdir } from 'node:os';
import { type Index, Pinecone } from '@pinecone-database/pinecone';
import type { Row } from 'receipt-embedding/entities/keys';
import type { DeltaRecord } from 'receipt-embedding/log/delta_database';
import { openDelta } from 'receipt-embedding/log/read_delta';
import type { LocalStack } from 'receipts-cli/local_stack';
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

/** A vector as a reader of the index gets it. */
export interface StoredVector {
  readonly values: Float32Array;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Ids in the address of one request. */
const FETCHED_AT_ONCE = 50;

/** All that an index holds, by namespace and id. */
export async function pineconeContents(
  access: LocalStack['pineconeAccess'],
): Promise<Record<'lines' | 'words', ReadonlyMap<string, StoredVector>>> {
  return { lines: await contentsOf(access, 'lines'), words: await contentsOf(access, 'words') };
}

/** Takes everything out of it again. */
export async function emptyPinecone(access: LocalStack['pineconeAccess']): Promise<void> {
  const { apiKey, host } = access;
  // A namespace that nothing was ever put into does not exist, and can't be emptied.
  const { namespaces = {} } = await new Pinecone({ apiKey }).index({ host }).describeIndexStats();
  for (const name of Object.keys(namespaces)) await namespaceOf(access, name).deleteAll();
}

async function contentsOf(
  access: LocalStack['pineconeAccess'],
  name: string,
): Promise<Map<string, StoredVector>> {
  const namespace = namespaceOf(access, name);
  const ids = await allIds(namespace);
  const contents = new Map<string, StoredVector>();
  for (let at = 0; at < ids.length; at += FETCHED_AT_ONCE) {
    const { records } = await namespace.fetch({ ids: ids.slice(at, at + FETCHED_AT_ONCE) });
    for (const [id, { values = [], metadata = {} }] of Object.entries(records)) {
      contents.set(id, { values: new Float32Array(values), metadata });
    }
  }
  return contents;
}

function namespaceOf({ apiKey, host }: LocalStack['pineconeAccess'], name: string): Index {
  return new Pinecone({ apiKey }).index({ host }).namespace(name);
}

/** The ids of all vectors of a namespace. */
async function allIds(namespace: Index): Promise<string[]> {
  const ids: string[] = [];
  let paginationToken: string | undefined;
  do {
    const page = await namespace.listPaginated(
      paginationToken === undefined ? {} : { paginationToken },
    );
    ids.push(...(page.vectors ?? []).flatMap(({ id }) => id ?? []));
    paginationToken = page.pagination?.next;
  } while (paginationToken !== undefined);
  return ids;
}
