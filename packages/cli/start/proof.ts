import { tmpdir } from 'node:os';
import { type Index, Pinecone } from '@pinecone-database/pinecone';
import { createOpenAIClient, OpenAIEmbedder } from 'receipt-embedding/embeddings/openai';
import type { CompactionRun } from 'receipt-embedding/entities/compaction_run';
import type { DeltaRecord } from 'receipt-embedding/stores/deltas/delta_database';
import { openDelta } from 'receipt-embedding/stores/deltas/read_delta';
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

/** What is looked for: what most receipts say, in other words than theirs. */
const PHRASES = [
  'total amount to pay',
  'thank you for shopping with us',
  'sales tax on the purchase',
];
const NEAREST = 3;
/** So that the proof stays small beside the run that it proves. */
const DELTAS_READ = 200;

export interface NearestLines {
  readonly phrase: string;
  readonly lines: readonly { readonly text: string; readonly similarity: number }[];
}

/** For a few phrases, the nearest of the lines in the deltas: proof that the vectors mean something. */
export async function nearestLines(
  { aws, bucket, openaiAccess, embeddingModel }: LocalStack,
  runs: readonly Pick<CompactionRun, 'lines_delta_prefix'>[],
): Promise<NearestLines[]> {
  const records: DeltaRecord[] = [];
  for (const { lines_delta_prefix: prefix } of runs.slice(0, DELTAS_READ)) {
    const delta = aws.s3.getObject(bucket, `${prefix}delta.tar.gz`);
    if (delta === undefined) throw new Error(`s3://${bucket}/${prefix}delta.tar.gz is missing`);
    records.push(...(await openDelta(delta.body, tmpdir())).records);
  }
  const embedder = new OpenAIEmbedder(createOpenAIClient(openaiAccess), embeddingModel);
  const { vectors } = await embedder.embed(PHRASES);
  return PHRASES.map((phrase, at) => {
    const wanted = vectors[at] ?? new Float32Array(embeddingModel.dimensions);
    const best = new Map<string, number>();
    for (const { document, vector } of records) {
      const similarity = cosine(wanted, vector);
      if (similarity > (best.get(document) ?? -1)) best.set(document, similarity);
    }
    const lines = [...best]
      .map(([text, similarity]) => ({ text, similarity }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, NEAREST);
    return { phrase, lines };
  });
}

function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let lengthA = 0;
  let lengthB = 0;
  for (let at = 0; at < a.length; at++) {
    const x = a[at] ?? 0;
    const y = b[at] ?? 0;
    dot += x * y;
    lengthA += x * x;
    lengthB += y * y;
  }
  return lengthA === 0 || lengthB === 0 ? 0 : dot / Math.sqrt(lengthA * lengthB);
}
