import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ChromaApi } from 'receipt-embedding/stores/chroma/chroma_api';
import { ChromaStore } from 'receipt-embedding/stores/chroma/chroma_store';
import type { SearchOutput } from 'receipt-embedding/search/search';
import { receiptOf as receiptOfId, type SearchHit } from 'receipt-embedding/search/search_hits';
import type { StoredMetadata, VectorCollection } from 'receipt-embedding/stores/vector_store';
import { openStore, s3VectorsIndex, storeVariables } from 'receipts-cli/local_stores';
import { SearchStack } from '../../support/search_stack.ts';
import { FUNCTIONS, summaryOf } from '../../support/test_stack.ts';

/** A database of a Chroma server. */
export interface ChromaDatabase {
  readonly endpoint: string;
  readonly database: string;
}

/** An empty one. */
export async function createDatabase(endpoint: string): Promise<ChromaDatabase> {
  const database = `run_${randomUUID()}`;
  const answer = await fetch(`${endpoint}/api/v2/tenants/default_tenant/databases`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: database }),
  });
  assert.ok(answer.ok, `Chroma makes no database: ${answer.status} ${await answer.text()}`);
  return { endpoint, database };
}

/** What two stores may give as the score of one vector: both count with 32-bit floats. */
const SAME_SCORE = 1e-5;

/** A local stack that has, or gets, a store on a real Chroma server. */
export class ChromaStack extends SearchStack {
  /** As a deployment with Chroma leaves the functions of a stack without batches under way. */
  addChroma({ endpoint, database }: ChromaDatabase): void {
    for (const name of [FUNCTIONS.find, FUNCTIONS.process, this.functionName]) {
      this.configure(name, {
        VECTOR_STORES: 's3_vectors,pinecone,chroma',
        CHROMA_HTTP_ENDPOINT: endpoint,
        CHROMA_DATABASE: database,
      });
    }
  }

  /** Half of the receipts by the realtime path, and what is left by batches. @returns how many either has embedded. */
  async fillByBothPaths(count: number): Promise<{ realtime: number; batch: number }> {
    const { summary } = await this.run({ limit: count / 2 });
    assert.deepEqual([summary.succeeded, summary.failed], [count / 2, 0]);
    const submitted = await this.#batches('batchSubmit');
    const polled = await this.#batches('batchPoll');
    assert.deepEqual([polled['running'], polled['failed'], polled['rows_failed']], [0, 0, 0]);
    const statuses = await this.#statuses();
    assert.deepEqual([...statuses].sort(), ['NOISE', 'SUCCESS']);
    return { realtime: summary.succeeded, batch: Number(submitted['receipts']) };
  }

  async #batches(workflow: 'batchSubmit' | 'batchPoll'): Promise<Record<string, unknown>> {
    return summaryOf(await this.local.execute({}, workflow)) as Record<string, unknown>;
  }

  async #statuses(): Promise<Set<unknown>> {
    const rows = await this.rows();
    return new Set(
      rows
        .filter(({ TYPE: type }) => type === 'RECEIPT_LINE' || type === 'RECEIPT_WORD')
        .map((row) => row['embedding_status']),
    );
  }

  /** A full run that asks OpenAI nothing, and fails for no receipt. */
  async runForNothing(): Promise<void> {
    const [{ summary }, requests] = await this.countingRequests(() => this.run());
    assert.deepEqual([summary.failed, requests], [0, 0]);
  }

  /** @throws where not both stores have the same vectors with the same metadata. @returns how many, for people. */
  async sameContents(server: ChromaDatabase): Promise<string> {
    const variables = storeVariables(this.local);
    const counts = { lines: 0, words: 0 };
    const chroma = new ChromaStore(server);
    const s3 = openStore('s3_vectors', this.local, variables);
    for (const collection of ['lines', 'words'] as const) {
      const ids = [...(s3VectorsIndex(collection, this.local, variables)?.list() ?? [])]
        .map(({ key }) => key)
        .sort();
      assert.equal(await countInChroma(server, collection), ids.length, `${collection} in Chroma`);
      const held = await chroma.fetch(collection, ids);
      const wanted = await s3.fetch(collection, ids);
      assert.equal(held.length, ids.length);
      for (const [at, { id, metadata, vector }] of wanted.entries()) {
        sameMetadata(id, held[at]?.metadata ?? {}, metadata);
        const same = vector.every((n, of) => Math.abs(n - (held[at]?.vector[of] ?? NaN)) < 1e-6);
        assert.ok(same, `the vector of ${id}`);
      }
      counts[collection] = ids.length;
    }
    return `${counts.lines} lines, ${counts.words} words`;
  }

  /** Asks both stores. @returns the hits of S3 Vectors. @throws where those of Chroma are others. */
  async sameHits(argv: readonly string[]): Promise<readonly SearchHit[]> {
    const [wanted, found] = [
      await this.found(...argv, '--store', 's3_vectors'),
      await this.found(...argv, '--store', 'chroma'),
    ];
    compare(wanted, found, argv.includes('--by-receipt') ? receiptOf : ({ id }) => id);
    return wanted.hits;
  }
}

/** Chroma's reader of JSON is off by one unit in the last place for about one float in ten. */
const FLOAT_READING = 2 ** -51;

function sameMetadata(id: string, held: StoredMetadata, wanted: StoredMetadata): void {
  assert.deepEqual(Object.keys(held).sort(), Object.keys(wanted).sort(), `fields of ${id}`);
  for (const [name, value] of Object.entries(wanted)) {
    const got = held[name];
    const same =
      typeof value === 'number' && typeof got === 'number'
        ? Math.abs(got - value) <= Math.abs(value) * FLOAT_READING
        : isDeepStrictEqual(got, value);
    assert.ok(same, `${name} of ${id}: ${JSON.stringify(got)}, not ${JSON.stringify(value)}`);
  }
}

async function countInChroma(
  { endpoint, database }: ChromaDatabase,
  name: VectorCollection,
): Promise<number> {
  const place = `${endpoint}/api/v2/tenants/default_tenant/databases/${database}/collections`;
  const collection = await new ChromaApi({ endpoint, database }, 10_000).findCollection(name);
  const answer = await fetch(`${place}/${collection?.id ?? ''}/count`);
  return (await answer.json()) as number;
}

/** Of a receipt, either of two equal lines may be the best. */
function receiptOf({ id }: SearchHit): string {
  return receiptOfId(id);
}

/** The same hits with the same scores. Those of equal scores may stand in any order, and any of them may be the last ones. */
function compare(
  wanted: SearchOutput,
  found: SearchOutput,
  nameOf: (hit: SearchHit) => string,
): void {
  const { hits: expected, ...others } = wanted;
  const { hits, ...of } = found;
  assert.deepEqual(
    [of.store, of.complete, of.embedded, of.nearest_merchants, hits.length],
    ['chroma', others.complete, others.embedded, others.nearest_merchants, expected.length],
  );
  const scores = new Map(expected.map((hit) => [nameOf(hit), hit.score ?? NaN]));
  const last = expected.at(-1)?.score ?? NaN;
  for (const [at, hit] of hits.entries()) {
    const { score = NaN } = hit;
    for (const same of [expected[at]?.score ?? NaN, scores.get(nameOf(hit)) ?? last]) {
      assert.ok(Math.abs(score - same) < SAME_SCORE, `hit ${at}, ${hit.id}: ${score}, not ${same}`);
    }
  }
}
