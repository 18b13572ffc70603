import { ApiError, isJsonObject } from '../answers.ts';
import { lengthOf } from '../nearest_vectors.ts';

/** gRPC's codes, which Pinecone's data plane answers beside the HTTP status. */
const GRPC_CODES: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  429: 8,
  500: 13,
  502: 14,
  503: 14,
  504: 4,
};

/** An error in the form of Pinecone's data plane. */
export function dataPlaneError(
  status: number,
  message: string,
  headers?: Readonly<Record<string, string>>,
): ApiError {
  const code = GRPC_CODES[status] ?? 2;
  return new ApiError(status, message, { code, message, details: [] }, headers);
}

/** A request that can't succeed as it is. */
export function invalidArgument(message: string): ApiError {
  return dataPlaneError(400, message);
}

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
const MAX_ID_CHARACTERS = 512;
const MAX_METADATA_BYTES = 40_960;

/** @throws ApiError 400 in Pinecone's words for the first limit that is broken. */
export function readRecord(record: unknown, dimension: number): IndexedVector {
  if (!isJsonObject(record)) throw invalidArgument('vectors must hold objects');
  const id = readId(record['id']);
  const values = readValues(record['values'], dimension);
  return {
    id,
    values,
    length: lengthOf(values),
    metadata: readMetadata(id, record['metadata']),
  };
}

/** @throws ApiError 400 for an id that is empty, too long, or not ASCII. */
export function readId(id: unknown): string {
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
  if (!Array.isArray(values) || values.some((value) => typeof value !== 'number')) {
    throw invalidArgument('values must be a list of numbers');
  }
  if (values.length !== dimension) {
    throw invalidArgument(
      `Vector dimension ${values.length} does not match the dimension of the index ${dimension}`,
    );
  }
  const vector = Float32Array.from(values as readonly number[]);
  if (!vector.every(Number.isFinite)) {
    throw invalidArgument('values must be finite float32 numbers');
  }
  if (vector.every((number) => number === 0)) {
    throw invalidArgument('Dense vectors must contain at least one non-zero value');
  }
  return vector;
}

function readMetadata(id: string, metadata: unknown): Metadata | undefined {
  if (metadata === undefined || metadata === null) return undefined;
  if (!isJsonObject(metadata)) throw invalidArgument('metadata must be an object');
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

export function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** The records of an index, by namespace. */
export class VectorIndex {
  readonly #namespaces = new Map<string, Map<string, IndexedVector>>();

  upsert(namespace: string, records: readonly IndexedVector[]): void {
    let held = this.#namespaces.get(namespace);
    if (held === undefined) {
      held = new Map();
      this.#namespaces.set(namespace, held);
    }
    for (const record of records) held.set(record.id, record);
  }

  /** Of a namespace, these ids; all where none are given. */
  delete(namespace: string, ids?: Iterable<string>): void {
    const held = this.#namespaces.get(namespace);
    for (const id of ids ?? []) held?.delete(id);
    if (ids === undefined || held?.size === 0) this.#namespaces.delete(namespace);
  }

  get(namespace: string, id: string): IndexedVector | undefined {
    return this.#namespaces.get(namespace)?.get(id);
  }

  records(namespace: string): IndexedVector[] {
    return [...(this.#namespaces.get(namespace)?.values() ?? [])];
  }

  /** How many records each namespace holds; one without any does not exist. */
  counts(): ReadonlyMap<string, number> {
    return new Map([...this.#namespaces].map(([name, { size }]) => [name, size]));
  }
}
