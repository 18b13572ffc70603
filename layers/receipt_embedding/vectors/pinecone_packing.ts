import type { PineconeRecord } from '@pinecone-database/pinecone';
import { InvalidRequest } from '../errors.ts';
import { pineconeMetadata } from './pinecone_metadata.ts';
import { printableVector } from './shortest_float32.ts';
import type { VectorCollection, VectorRecord } from './vector_store.ts';

/**
 * The limits of Pinecone (docs/data_model.md §4). It says 2 MB and doesn't say whether a megabyte has 1,000,000 bytes or
 * 1,048,576, nor of which form of the request: the smaller one and the body as it is sent are within either. Metadata is
 * held against the larger meaning of 40 KB, since a record is not split: what is over it would be refused in any case.
 */
export const UPSERT_LIMITS = {
  records: 1_000,
  bytes: 2_000_000,
  metadataBytes: 40_960,
} as const;

export type UpsertLimits = Readonly<Record<keyof typeof UPSERT_LIMITS, number>>;

/** One upsert request. */
export interface PackedUpsert {
  readonly records: PineconeRecord[];
  /** Of the whole body, as Pinecone's client sends it. */
  readonly bytes: number;
}

/**
 * Splits records, in their order, into as few requests as the limits allow.
 *
 * @throws InvalidRequest naming the record that is over a limit by itself.
 */
export function packUpserts(
  namespace: VectorCollection,
  records: readonly VectorRecord[],
  limits: UpsertLimits = UPSERT_LIMITS,
): PackedUpsert[] {
  const empty = jsonBytes({ vectors: [], namespace });
  const upserts: PackedUpsert[] = [];
  let current: PineconeRecord[] = [];
  let bytes = empty;
  for (const { record, size } of records.map((record) => measure(record, limits))) {
    if (empty + size > limits.bytes) {
      throw new InvalidRequest(
        `${record.id} takes ${size} bytes, more than a request to Pinecone may`,
      );
    }
    // A comma before each record but the first.
    const grown = bytes + size + (current.length > 0 ? 1 : 0);
    if (current.length === limits.records || grown > limits.bytes) {
      upserts.push({ records: current, bytes });
      current = [record];
      bytes = empty + size;
    } else {
      current.push(record);
      bytes = grown;
    }
  }
  if (current.length > 0) upserts.push({ records: current, bytes });
  return upserts;
}

interface MeasuredRecord {
  readonly record: PineconeRecord;
  /** Its JSON's bytes. */
  readonly size: number;
}

const PUNCTUATION = '{"id":,"values":,"metadata":}'.length;

function measure({ id, vector, metadata }: VectorRecord, limits: UpsertLimits): MeasuredRecord {
  const { values, jsonBytes: valuesBytes } = printableVector(vector);
  const record = { id, values, metadata: pineconeMetadata(metadata) };
  const metadataBytes = jsonBytes(record.metadata);
  if (metadataBytes > limits.metadataBytes) {
    throw new InvalidRequest(
      `the metadata of ${id} takes ${metadataBytes} bytes; Pinecone takes ${limits.metadataBytes}`,
    );
  }
  return { record, size: PUNCTUATION + jsonBytes(id) + valuesBytes + metadataBytes };
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
