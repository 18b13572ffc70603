import type { PineconeRecord } from '@pinecone-database/pinecone';
import { fittingMetadata, listedMetadata } from '../listed_metadata.ts';
import {
  jsonBytes,
  type MeasuredRecord,
  type PackedRecords,
  packRequests,
} from '../packed_requests.ts';
import { printableVector } from '../printable_vector.ts';
import type { VectorCollection, VectorRecord } from '../vector_store.ts';

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

type UpsertLimits = Readonly<Record<keyof typeof UPSERT_LIMITS, number>>;

/**
 * Splits records, in their order, into as few upserts as the limits allow. What is over a limit by itself is left out and named.
 *
 * @example
 * ```ts
 * packUpserts('words', records).upserts.map(({ records }) => records.length); // 1,000 words of 1,536 dimensions: [130, 130, …]
 * ```
 */
export function packUpserts(
  namespace: VectorCollection,
  records: readonly VectorRecord[],
  limits: UpsertLimits = UPSERT_LIMITS,
): PackedRecords<PineconeRecord> {
  return packRequests(
    records.map((record) => measure(record, limits)),
    limits,
    { emptyBytes: jsonBytes({ vectors: [], namespace }), store: 'Pinecone' },
  );
}

const PUNCTUATION = '{"id":,"values":,"metadata":}'.length;

function measure(
  { id, vector, metadata }: VectorRecord,
  limits: UpsertLimits,
): MeasuredRecord<PineconeRecord> {
  const { values, jsonBytes: valuesBytes } = printableVector(vector);
  const fitting = fittingMetadata(
    listedMetadata(metadata),
    (shortened) => jsonBytes(shortened) <= limits.metadataBytes,
  );
  const metadataBytes = jsonBytes(fitting);
  return {
    id,
    sent: { id, values, metadata: fitting },
    bytes: PUNCTUATION + jsonBytes(id) + valuesBytes + metadataBytes,
    refusal:
      metadataBytes > limits.metadataBytes
        ? `its metadata takes ${metadataBytes} bytes; Pinecone takes ${limits.metadataBytes}`
        : undefined,
  };
}
