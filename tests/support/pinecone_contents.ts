import { type Index, Pinecone } from '@pinecone-database/pinecone';
import type { LocalStack } from 'receipts-cli/local_stack';
import { allIds } from 'receipts-cli/start/proof';

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
  for (const name of ['lines', 'words']) await namespaceOf(access, name).deleteAll();
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
