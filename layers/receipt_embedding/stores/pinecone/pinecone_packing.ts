import type { PineconeRecord, RecordMetadata } from '@pinecone-database/pinecone';
import { quoted } from '../../embeddings/quotes.ts';
import type {
  LineMetadata,
  RefusedRecord,
  VectorCollection,
  VectorMetadata,
  VectorRecord,
  WordMetadata,
} from '../vector_store.ts';

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

/** One upsert request. */
export interface PackedUpsert {
  readonly records: PineconeRecord[];
  /** Of the whole body, as Pinecone's client sends it. */
  readonly bytes: number;
}

/** Records as they go to Pinecone: those in requests, and those that no request could hold. */
export interface PackedRecords {
  readonly upserts: readonly PackedUpsert[];
  readonly refused: readonly RefusedRecord[];
}

/**
 * Splits records, in their order, into as few requests as the limits allow. What is over a limit by itself is left out and named.
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
): PackedRecords {
  const empty = jsonBytes({ vectors: [], namespace });
  const upserts: PackedUpsert[] = [];
  const refused: RefusedRecord[] = [];
  let current: PineconeRecord[] = [];
  let bytes = empty;
  for (const { record, size, metadataBytes } of records.map((each) => measure(each, limits))) {
    const reason = refusalOf(empty + size, metadataBytes, limits);
    if (reason !== undefined) {
      refused.push({ id: record.id, reason });
      continue;
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
  return { upserts, refused };
}

function refusalOf(
  requestBytes: number,
  metadataBytes: number,
  limits: UpsertLimits,
): string | undefined {
  if (metadataBytes > limits.metadataBytes) {
    return `its metadata takes ${metadataBytes} bytes; Pinecone takes ${limits.metadataBytes}`;
  }
  if (requestBytes > limits.bytes) {
    return `it takes ${requestBytes} bytes; a request to Pinecone takes ${limits.bytes}`;
  }
  return undefined;
}

interface MeasuredRecord {
  readonly record: PineconeRecord;
  /** Its JSON's bytes. */
  readonly size: number;
  readonly metadataBytes: number;
}

const PUNCTUATION = '{"id":,"values":,"metadata":}'.length;

function measure({ id, vector, metadata }: VectorRecord, limits: UpsertLimits): MeasuredRecord {
  const { values, jsonBytes: valuesBytes } = printableVector(vector);
  const fitting = fittingMetadata(pineconeMetadata(metadata), limits.metadataBytes);
  const metadataBytes = jsonBytes(fitting);
  const size = PUNCTUATION + jsonBytes(id) + valuesBytes + metadataBytes;
  return { record: { id, values, metadata: fitting }, size, metadataBytes };
}

/**
 * What a record's metadata gives up, one after the other, until it is within the limit (docs/data_model.md §5): what quotes others
 * first, then what no reader filters on, then what they do, the labels last.
 */
const DISPENSABLE: readonly {
  readonly field: keyof LineMetadata | keyof WordMetadata;
  /** Characters that may stay, `<EDGE>` at least. @default none: the field is left out, since a part of it is equal to nothing. */
  readonly keep?: number;
}[] = [
  { field: 'prev_line', keep: 50 },
  { field: 'next_line', keep: 50 },
  { field: 'left', keep: 50 },
  { field: 'right', keep: 50 },
  { field: 'label_proposed_by' },
  { field: 'normalized_url' },
  { field: 'normalized_full_address' },
  { field: 'invalid_labels' },
  { field: 'validated_labels' },
  { field: 'prev_line', keep: 6 },
  { field: 'next_line', keep: 6 },
  { field: 'left', keep: 6 },
  { field: 'right', keep: 6 },
  { field: 'merchant_name' },
];

/** The metadata as it is, where it is within the limit; else without as much as it takes. What still is over it is returned over it. */
function fittingMetadata(metadata: RecordMetadata, limit: number): RecordMetadata {
  if (jsonBytes(metadata) <= limit) return metadata;
  let shortened = metadata;
  for (const { field, keep } of DISPENSABLE) {
    const { [field]: value, ...rest } = shortened;
    if (value === undefined) continue;
    shortened =
      keep !== undefined && typeof value === 'string'
        ? { ...shortened, [field]: quoted(value, keep) }
        : rest;
    if (jsonBytes(shortened) <= limit) return shortened;
  }
  return shortened;
}

/**
 * Metadata in the form that Pinecone's readers filter on (docs/data_model.md §2): receipt_id a number, label lists as
 * lists of strings. What nobody knows is left out, an empty list and an unknown merchant too: Pinecone takes no null.
 *
 * @example
 * ```ts
 * pineconeMetadata({ receipt_id: 1, text: 'MILK', validated_labels: ['PRODUCT_NAME'], invalid_labels: [], … });
 * // { receipt_id: 1, text: 'MILK', validated_labels: ['PRODUCT_NAME'], … }
 * ```
 */
export function pineconeMetadata(metadata: VectorMetadata): RecordMetadata {
  const known: RecordMetadata = {};
  for (const [name, value] of Object.entries(metadata) as [
    string,
    string | number | readonly string[] | undefined,
  ][]) {
    if (value === undefined || (name === 'merchant_name' && value === '')) continue;
    if (typeof value === 'string' || typeof value === 'number') known[name] = value;
    else if (value.length > 0) known[name] = [...value];
  }
  return known;
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** A vector's numbers, ready to be printed as JSON. */
interface PrintableVector {
  readonly values: number[];
  /** What `JSON.stringify(values)` takes, exactly. */
  readonly jsonBytes: number;
}

/**
 * The numbers of a vector as doubles that print as short as can be: each is the shortest decimal that reads back
 * (`Math.fround`) to the same float32. A float32 that is merely taken as a double prints twice as long as it needs to:
 * 0.1 becomes 0.10000000149011612. -0 prints as 0, as in any JSON.
 */
export function printableVector(vector: Float32Array): PrintableVector {
  // The brackets and the commas between them.
  let jsonBytes = Math.max(2, vector.length + 1);
  const values = new Array<number>(vector.length);
  vector.forEach((number, i) => {
    const size = Math.abs(number);
    // From 10^-6 on JSON has no exponent, and below 1 the length follows from the decimals.
    if (size >= 1e-6 && size < 1) {
      const decimals = decimalsOf(size);
      const value = roundTo(size, decimals);
      values[i] = number < 0 ? -value : value;
      jsonBytes += decimals + (number < 0 ? '-0.' : '0.').length;
    } else {
      const value = byDigits(number);
      values[i] = value;
      jsonBytes += JSON.stringify(value).length;
    }
  });
  return { values, jsonBytes };
}

const POWERS_OF_TEN = Float64Array.from({ length: 15 }, (_, exponent) => 10 ** exponent);

/** How many decimals a float32 from 10^-6 to 1 needs. */
function decimalsOf(size: number): number {
  let decimals = enoughDecimals(size);
  // What fits on a coarse grid lies on the finer ones too, so the first that fails is the end.
  while (Math.fround(roundTo(size, decimals - 1)) === size) decimals -= 1;
  return decimals;
}

/** Nine significant digits are enough for every float32. */
function enoughDecimals(size: number): number {
  if (size >= 0.1) return 9;
  if (size >= 0.01) return 10;
  if (size >= 0.001) return 11;
  if (size >= 0.0001) return 12;
  return size >= 0.00001 ? 13 : 14;
}

/** The decimal with so many decimals that is nearest to the float32. */
function roundTo(size: number, decimals: number): number {
  const power = POWERS_OF_TEN[decimals] ?? NaN;
  // Both operands are exact, so the quotient is the double that such a decimal reads as.
  return Math.round(size * power) / power;
}

/** The same for a number of any size, one digit more at a time: fifty times slower, for the few that need it. */
function byDigits(number: number): number {
  if (number === 0 || !Number.isFinite(number)) return number;
  const size = Math.abs(number);
  for (let digits = 1; ; digits += 1) {
    const [mantissa = '', exponent] = size.toExponential(digits - 1).split('e');
    const integer = Number(mantissa.replace('.', ''));
    // Above a power of two floats lie twice as far apart as below it: the next one up may fit where the nearest doesn't.
    // (Of those from 10^-6 to 1 none is such a one.)
    for (const candidate of [integer, integer + 1]) {
      const value = Number(`${candidate}e${Number(exponent) - digits + 1}`);
      if (Math.fround(value) === size) return number < 0 ? -value : value;
    }
  }
}
