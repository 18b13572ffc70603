import { type Index, Pinecone } from '@pinecone-database/pinecone';
import type { LocalStack } from '../local_stack.ts';

/** So that the proof stays small beside the run that it proves: a query of the stand-in looks at every vector. */
const MOST_QUERIES = 2_000;

export interface OwnNeighbours {
  /** Vectors that were asked for. */
  readonly asked: number;
  /** Of these, how many were found as their own nearest neighbour, or with one that is as near. */
  readonly found: number;
}

const NEAR = 1e-6;

/**
 * Asks Pinecone for the nearest neighbour of the vectors that are in it: it must be the vector itself.
 *
 * @param most of so many vectors at most, evenly picked.
 */
export async function ownNeighbours(
  { apiKey, host }: LocalStack['pineconeAccess'],
  most = MOST_QUERIES,
): Promise<OwnNeighbours> {
  const index = new Pinecone({ apiKey }).index({ host });
  const { namespaces = {}, totalRecordCount = 0 } = await index.describeIndexStats();
  const step = Math.max(1, Math.ceil(totalRecordCount / most));
  let asked = 0;
  let found = 0;
  for (const name of Object.keys(namespaces)) {
    const namespace = index.namespace(name);
    for (const [at, id] of (await allIds(namespace)).entries()) {
      if (at % step > 0) continue;
      const [nearest] = (await namespace.query({ id, topK: 1 })).matches;
      asked++;
      // Two receipts may say the very same, and then either may be the first.
      if (nearest?.id === id || (nearest?.score ?? 0) >= 1 - NEAR) found++;
    }
  }
  return { asked, found };
}

/** The ids of all vectors of a namespace. */
export async function allIds(namespace: Index): Promise<string[]> {
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
