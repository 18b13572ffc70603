import { createHash } from 'node:crypto';
import { z } from 'zod';
import { invalidField, notImplemented } from './answers.ts';
import { compileFilter, type MissingKeys } from './filter.ts';
import { bytesOf, type Metadata, metadataProblem } from './metadata.ts';
import { fromToken, invalidToken, toToken } from './pages.ts';
import type { RequestOf } from './requests.ts';
import type { NamedIndex } from './vector_buckets.ts';
import type { StoredVector, VectorIndex } from './vector_index.ts';

/**
 * Stores vectors: all of the request, or none.
 *
 * @throws VectorsError for a vector or metadata that S3 Vectors does not take, and for a key that is there twice.
 */
export function putVectors(
  { vectors: index, nonFilterable }: NamedIndex,
  { vectors }: RequestOf<'PutVectors'>,
): object {
  const forbidden = new Set(nonFilterable);
  const keys = new Set<string>();
  const checked = vectors.map(({ key, data, metadata = {} }, at) => {
    const wrong = (path: string, problem: string) =>
      invalidField(`/vectors/${at}/${path}`, `Invalid record for key '${key}': ${problem}`);
    // Which of them would win is not documented.
    if (keys.has(key)) throw wrong('key', 'the request has it twice');
    keys.add(key);
    const vector = toFloat32(data.float32, index.dimension);
    if (typeof vector === 'string') throw wrong('data', vector);
    const problem = metadataProblem(metadata, forbidden);
    if (problem !== undefined) throw wrong('metadata', problem);
    return { key, vector, metadata: metadata as Metadata };
  });
  for (const { key, vector, metadata } of checked) index.put(key, vector, metadata);
  return {};
}

/** The vectors that are there, in the order of their keys in the request. */
export function getVectors(
  { vectors: index }: NamedIndex,
  { keys, ...wanted }: RequestOf<'GetVectors'>,
): object {
  const found = [...new Set(keys)].map((key) => index.get(key));
  return {
    vectors: found.flatMap((vector) =>
      vector === undefined ? [] : [outputVector(index, vector, wanted)],
    ),
  };
}

/** A key that is not there is none to delete. */
export function deleteVectors(
  { vectors: index }: NamedIndex,
  { keys }: RequestOf<'DeleteVectors'>,
): object {
  for (const key of keys) index.delete(key);
  return {};
}

/** A page ends before it has more, whatever number of vectors is asked for. */
const PAGE_BYTES = 1_024 * 1_024;
const AFTER_SEQUENCE = z.object({ sequence: z.number() });

/** @throws VectorsError for half a segment, and for a token that is none. */
export function listVectors(
  { vectors: index }: NamedIndex,
  request: RequestOf<'ListVectors'>,
): object {
  const { maxResults, nextToken, segmentCount = 1, segmentIndex = 0 } = request;
  if ((request.segmentCount === undefined) !== (request.segmentIndex === undefined)) {
    throw invalidField('/segmentIndex', 'segmentCount and segmentIndex must be given together');
  }
  if (segmentIndex >= segmentCount) {
    throw invalidField('/segmentIndex', 'segmentIndex must be less than segmentCount');
  }
  const after = nextToken === undefined ? -1 : fromToken(nextToken, AFTER_SEQUENCE).sequence;
  const vectors: object[] = [];
  let bytes = 0;
  let last = after;
  for (const vector of index.list()) {
    const { key, sequence, metadata } = vector;
    if (sequence <= after || sequence % segmentCount !== segmentIndex) continue;
    if (request.returnData) bytes += index.dimension * Float32Array.BYTES_PER_ELEMENT;
    if (request.returnMetadata) bytes += bytesOf(metadata);
    bytes += Buffer.byteLength(key);
    if (vectors.length === maxResults || (bytes > PAGE_BYTES && vectors.length > 0)) {
      return { vectors, nextToken: toToken({ sequence: last }) };
    }
    vectors.push(outputVector(index, vector, request));
    last = sequence;
  }
  return { vectors };
}

/** How many of the `topK` hits an answer has at most. */
const QUERY_PAGE = 100;
const AFTER_HIT = z.object({
  query: z.string(),
  returned: z.number(),
  distance: z.number(),
  sequence: z.number(),
});

/**
 * The nearest vectors that the filter lets through. A page goes on behind the last hit of the one before, so that a write
 * between both neither repeats a hit nor leaves one out.
 *
 * @throws VectorsError
 */
export function queryVectors(
  { vectors: index, nonFilterable }: NamedIndex,
  request: RequestOf<'QueryVectors'>,
  missingKeys: MissingKeys,
): object {
  const { topK, queryVector, filter, queryMode, nextToken } = request;
  if (request.queryTexts !== undefined) throw notImplemented('A search by queryTexts');
  if (queryMode === 'CLASSIC') {
    throw invalidField(
      '/queryMode',
      'An index in the mode ENHANCED has no queries in the mode CLASSIC',
    );
  }
  if (queryVector === undefined) throw invalidField('/queryVector', 'Member must not be null');
  const vector = toFloat32(queryVector.float32, index.dimension);
  if (typeof vector === 'string') throw invalidField('/queryVector', `Query ${vector}`);
  const settings = { nonFilterable: new Set(nonFilterable), missingKeys };
  const predicate = filter === undefined ? undefined : compileFilter(filter, settings);
  const query = digestOf([topK, filter ?? null, [...vector]]);
  const after = nextToken === undefined ? undefined : fromToken(nextToken, AFTER_HIT);
  if (after !== undefined && after.query !== query) throw invalidToken();
  const returned = after?.returned ?? 0;
  const left = topK - returned;
  // One more than the page has: is there another page?
  const count = Math.min(left, QUERY_PAGE + 1);
  const hits = index.search(vector, { count, filter: predicate, after });
  const page = hits.slice(0, QUERY_PAGE);
  const last = page.at(-1);
  return {
    vectors: page.map(({ key, metadata, distance }) => ({
      ...(request.returnDistance ? { distance: Math.fround(distance) } : {}),
      key,
      ...(request.returnMetadata ? { metadata } : {}),
    })),
    distanceMetric: 'cosine',
    ...(last === undefined || hits.length === page.length
      ? {}
      : {
          nextToken: toToken({
            query,
            returned: returned + page.length,
            distance: last.distance,
            sequence: last.sequence,
          }),
        }),
  };
}

function digestOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url');
}

function outputVector(
  index: VectorIndex,
  { key, metadata }: StoredVector,
  {
    returnData,
    returnMetadata,
  }: { readonly returnData: boolean; readonly returnMetadata: boolean },
): object {
  return {
    key,
    ...(returnData ? { data: { float32: [...(index.data(key) ?? [])] } } : {}),
    ...(returnMetadata ? { metadata } : {}),
  };
}

/**
 * A vector in float32, which is what S3 Vectors stores.
 *
 * @returns what it has against these numbers, where it has something.
 */
function toFloat32(values: readonly unknown[], dimension: number): Float32Array | string {
  if (values.length !== dimension) {
    return `vector must have length ${dimension}, but has length ${values.length}`;
  }
  const vector = new Float32Array(dimension);
  let zero = true;
  for (const [at, value] of values.entries()) {
    const number = typeof value === 'number' ? Math.fround(value) : NaN;
    if (!Number.isFinite(number)) return 'vector must have finite float32 values only';
    if (number !== 0) zero = false;
    vector[at] = number;
  }
  return zero ? 'vector must not be all zeros with the metric cosine' : vector;
}
