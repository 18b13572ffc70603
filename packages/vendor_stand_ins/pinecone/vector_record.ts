import { invalidArgument } from './api_error.ts';
import { dot } from './dot_product.ts';
import { isObject, isStringList } from './json_body.ts';

export type MetadataValue = string | number | boolean | readonly string[];
export type Metadata = Readonly<Record<string, MetadataValue>>;

/** A vector as the index holds it. */
export interface IndexedVector {
  readonly id: string;
  /** undefined in an index that keeps no vectors. */
  readonly values: Float32Array | undefined;
  /** Euclidean, for cosines. */
  readonly length: number;
  readonly metadata: Metadata | undefined;
}

/** Pinecone's limits of a record. */
export const MAX_ID_CHARACTERS = 512;
export const MAX_METADATA_BYTES = 40_960;

/** @throws ApiError 400 in Pinecone's words for the first limit that is broken. */
export function readRecord(record: unknown, dimension: number): IndexedVector {
  if (!isObject(record)) throw invalidArgument('vectors must hold objects');
  const id = checkId(record['id']);
  const values = readValues(record['values'], dimension);
  return {
    id,
    values,
    length: Math.sqrt(dot(values, values)),
    metadata: readMetadata(id, record['metadata']),
  };
}

/** @throws ApiError 400 for an id that is empty, too long, or not ASCII. */
export function checkId(id: unknown): string {
  if (typeof id !== 'string' || id === '') throw invalidArgument('Vector ID must not be empty');
  if (id.length > MAX_ID_CHARACTERS) {
    throw invalidArgument(`Vector ID length is larger than ${MAX_ID_CHARACTERS}`);
  }
  // eslint-disable-next-line no-control-regex -- all of ASCII is allowed, control characters too
  if (!/^[\x00-\x7f]*$/.test(id)) throw invalidArgument('Vector ID must be ASCII');
  return id;
}

/** @throws ApiError 400 for another dimension, for what is no float32, and for a vector of zeros. */
export function readValues(values: unknown, dimension: number): Float32Array {
  if (!Array.isArray(values)) throw invalidArgument('values must be a list of numbers');
  if (values.length !== dimension) {
    throw invalidArgument(
      `Vector dimension ${values.length} does not match the dimension of the index ${dimension}`,
    );
  }
  const vector = new Float32Array(dimension);
  (values as readonly unknown[]).forEach((value, i) => {
    if (typeof value !== 'number') throw invalidArgument('values must be a list of numbers');
    const number = Math.fround(value);
    if (!Number.isFinite(number)) throw invalidArgument('values must be finite float32 numbers');
    vector[i] = number;
  });
  if (vector.every((number) => number === 0)) {
    throw invalidArgument('Dense vectors must contain at least one non-zero value');
  }
  return vector;
}

function readMetadata(id: string, metadata: unknown): Metadata | undefined {
  if (metadata === undefined || metadata === null) return undefined;
  if (!isObject(metadata)) throw invalidArgument('metadata must be an object');
  for (const [field, value] of Object.entries(metadata)) {
    if (!isMetadataValue(value)) {
      throw invalidArgument(
        `Metadata value must be a string, number, boolean or list of strings, got '${JSON.stringify(value)}' for field '${field}'`,
      );
    }
  }
  const bytes = Buffer.byteLength(JSON.stringify(metadata));
  if (bytes > MAX_METADATA_BYTES) {
    throw invalidArgument(
      `Metadata size is ${bytes} bytes, which exceeds the limit of ${MAX_METADATA_BYTES} bytes per vector (${id})`,
    );
  }
  return metadata as Metadata;
}

function isMetadataValue(value: unknown): value is MetadataValue {
  return ['string', 'number', 'boolean'].includes(typeof value) || isStringList(value);
}
