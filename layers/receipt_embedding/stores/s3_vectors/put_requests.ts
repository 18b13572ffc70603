import type { PutInputVector } from '@aws-sdk/client-s3vectors';
import { fittingMetadata, type ListedMetadata, listedMetadata } from '../listed_metadata.ts';
import {
  jsonBytes,
  type MeasuredRecord,
  type PackedRecords,
  packRequests,
} from '../packed_requests.ts';
import { printableVector } from '../printable_vector.ts';
import type { VectorRecord } from '../vector_store.ts';
import { NON_FILTERABLE_KEYS } from './declaration.ts';

/** The limits of Amazon S3 Vectors (docs/data_model.md §7). */
export const PUT_LIMITS = {
  records: 500,
  /** 20 MiB. */
  bytes: 20_971_520,
  keyCharacters: 1_024,
  metadataBytes: 40_960,
  filterableBytes: 2_048,
} as const;

type PutLimits = Readonly<Record<keyof typeof PUT_LIMITS, number>>;

/**
 * Splits records, in their order, into as few PutVectors requests as the limits allow. Metadata that is over a limit is shortened as
 * far as it can be; what is over it even so is left out and named.
 *
 * @example
 * ```ts
 * packPuts(indexArn, records).upserts.map(({ records }) => records.length); // 1,200 words: [500, 500, 200]
 * ```
 */
export function packPuts(
  indexArn: string,
  records: readonly VectorRecord[],
  limits: PutLimits = PUT_LIMITS,
): PackedRecords<PutInputVector> {
  return packRequests(
    records.map((record) => measure(record, limits)),
    limits,
    { emptyBytes: jsonBytes({ indexArn, vectors: [] }), store: 'S3 Vectors' },
  );
}

const PUNCTUATION = '{"key":,"data":{"float32":},"metadata":}'.length;

function measure(
  { id, vector, metadata }: VectorRecord,
  limits: PutLimits,
): MeasuredRecord<PutInputVector> {
  const { values, jsonBytes: valuesBytes } = printableVector(vector);
  const fitting = fittingMetadata(
    fittingMetadata(
      listedMetadata(metadata),
      (shortened) => metadataBytes(filterableOf(shortened)) <= limits.filterableBytes,
      (field) => !NOT_FILTERABLE.has(field),
    ),
    (shortened) => metadataBytes(shortened) <= limits.metadataBytes,
  );
  return {
    id,
    sent: { key: id, data: { float32: values }, metadata: fitting },
    bytes: PUNCTUATION + jsonBytes(id) + valuesBytes + jsonBytes(fitting),
    refusal: refusalOf(id, fitting, limits),
  };
}

function refusalOf(id: string, metadata: ListedMetadata, limits: PutLimits): string | undefined {
  if (id.length > limits.keyCharacters) {
    return `its id has ${id.length} characters; S3 Vectors takes ${limits.keyCharacters}`;
  }
  const filterable = metadataBytes(filterableOf(metadata));
  if (filterable > limits.filterableBytes) {
    return `its filterable metadata takes ${filterable} bytes; S3 Vectors takes ${limits.filterableBytes}`;
  }
  const all = metadataBytes(metadata);
  if (all > limits.metadataBytes) {
    return `its metadata takes ${all} bytes; S3 Vectors takes ${limits.metadataBytes}`;
  }
  return undefined;
}

const NOT_FILTERABLE: ReadonlySet<string> = new Set(NON_FILTERABLE_KEYS);

function filterableOf(metadata: ListedMetadata): ListedMetadata {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !NOT_FILTERABLE.has(name)));
}

/**
 * How much of a limit metadata take. AWS does not say how it counts; others have measured: 4 bytes, and for each entry 8, its key and
 * its value in UTF-8, where a number is 4 and each element of a list costs 4 more. What is within the limit so and as JSON is within it
 * for sure.
 */
function metadataBytes(metadata: ListedMetadata): number {
  const counted = Object.entries(metadata).reduce(
    (sum, [name, value]) => sum + 8 + Buffer.byteLength(name) + valueBytes(value),
    4,
  );
  return Math.max(counted, jsonBytes(metadata));
}

function valueBytes(value: ListedMetadata[string]): number {
  if (typeof value === 'number') return 4;
  if (typeof value === 'string') return Buffer.byteLength(value);
  return value.reduce((sum, item) => sum + 4 + Buffer.byteLength(item), 0);
}
