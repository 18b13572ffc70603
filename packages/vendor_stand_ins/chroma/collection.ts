import { ApiError, isJsonObject, type JsonObject } from '../answers.ts';
import { lengthOf } from '../nearest_vectors.ts';

/** An error as a Chroma server answers it. */
export function chromaError(
  status: number,
  error: string,
  message: string,
  headers?: Readonly<Record<string, string>>,
): ApiError {
  return new ApiError(status, message, { error, message }, headers);
}

/** A request that can't succeed as it is. */
export function invalidArgument(message: string): ApiError {
  return chromaError(400, 'InvalidArgumentError', message);
}

export type MetadataValue = string | number | boolean;
export type Metadata = Readonly<Record<string, MetadataValue>>;

/** A record as a collection holds it. */
export interface ChromaRecord {
  readonly id: string;
  readonly values: Float32Array;
  /** Euclidean, for cosines. */
  readonly length: number;
  readonly document: string | null;
  readonly metadata: Metadata | null;
}

/** One collection; cosine is the only space that it has. */
export class ChromaCollection {
  readonly id: string;
  readonly name: string;
  readonly records = new Map<string, ChromaRecord>();
  /** From its first record on. */
  #dimension: number | null = null;

  constructor(id: string, name: string) {
    this.id = id;
    this.name = name;
  }

  get description(): object {
    return {
      id: this.id,
      name: this.name,
      configuration_json: { hnsw: { space: 'cosine' }, spann: null, embedding_function: null },
      metadata: null,
      dimension: this.#dimension,
      tenant: 'default_tenant',
      database: 'default_database',
      log_position: 0,
      version: 0,
    };
  }

  /**
   * Writes all records of a request, or none. Metadata is merged into what a record has: a key that is null is removed, one that is not
   * named stays.
   */
  upsert({ ids, embeddings, documents, metadatas }: JsonObject, maxBatch: number): void {
    if (!isTextList(ids)) throw unprocessable('ids');
    if (ids.includes('')) {
      throw invalidArgument('Empty ID, ID must have at least one character');
    }
    if (ids.length > maxBatch) {
      throw quotaExceeded('Number of records', 'Upsert', ids.length, maxBatch);
    }
    if (!Array.isArray(embeddings) || embeddings.length !== ids.length) {
      throw unprocessable('embeddings');
    }
    let dimension = this.#dimension;
    const written = ids.map((id, at): ChromaRecord => {
      const values = readVector(embeddings[at]);
      dimension ??= values.length;
      if (values.length !== dimension) throw wrongDimension(dimension, values.length);
      const document = elementOf(documents, at) ?? null;
      if (document !== null && typeof document !== 'string') throw unprocessable('documents');
      const before = this.records.get(id)?.metadata ?? null;
      const metadata = merged(before, elementOf(metadatas, at) ?? null);
      return { id, values, length: lengthOf(values), document, metadata };
    });
    this.#dimension = dimension;
    for (const record of written) this.records.set(record.id, record);
  }

  /** @throws ApiError 400 for a vector of another dimension. */
  readQuery(embedding: unknown): Float32Array {
    const vector = readVector(embedding);
    if (this.#dimension !== null && vector.length !== this.#dimension) {
      throw wrongDimension(this.#dimension, vector.length);
    }
    return vector;
  }
}

function elementOf(list: unknown, at: number): unknown {
  return Array.isArray(list) ? (list[at] as unknown) : undefined;
}

function merged(before: Metadata | null, given: unknown): Metadata | null {
  if (given === null) return before;
  if (!isJsonObject(given)) throw unprocessable('metadatas');
  const result = new Map<string, MetadataValue>(Object.entries(before ?? {}));
  for (const [key, value] of Object.entries(given)) {
    if (value === null) result.delete(key);
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      result.set(key, value);
    else throw unprocessable('metadatas');
  }
  return result.size === 0 ? null : Object.fromEntries(result);
}

function readVector(values: unknown): Float32Array {
  if (!Array.isArray(values) || values.some((value) => typeof value !== 'number')) {
    throw unprocessable('embeddings');
  }
  const vector = Float32Array.from(values as readonly number[]);
  if (!vector.every(Number.isFinite)) {
    throw invalidArgument(
      'Validation error: embeddings: Embeddings must not contain NaN or Infinity values',
    );
  }
  return vector;
}

function wrongDimension(expected: number, got: number): ApiError {
  return invalidArgument(
    `Collection expecting embedding with dimension of ${expected}, got ${got}`,
  );
}

export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

export function unprocessable(field: string): ApiError {
  return chromaError(
    422,
    'ChromaError',
    `Failed to deserialize the JSON body into the target type: ${field}`,
  );
}

/** As Chroma Cloud words it. */
export function quotaExceeded(
  what: string,
  action: string,
  usage: number,
  limit: number,
): ApiError {
  return chromaError(
    422,
    'ChromaError',
    `Quota exceeded: '${what}' exceeded quota limit for action '${action}': current usage of ${usage} exceeds limit of ${limit}`,
  );
}
