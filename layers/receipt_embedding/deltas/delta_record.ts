import { InvalidReceiptData } from '../errors.ts';

/** The two collections that receipts are embedded into; each delta holds exactly one. */
export type CollectionName = 'lines' | 'words';

/**
 * One vector with what belongs to it, as the consumer of a delta gets it from Chroma.
 *
 * Numbers: JSON has one kind of number and Chroma two. A whole number arrives as an int, unless its field
 * is one of the delta's `floatFields`; any other arrives as a float. That matters to readers: Chroma 1.0's filter
 * `{confidence: 0.658}` finds an int 0 too, because it compares ints with the filter's whole part. A -0 arrives
 * as 0.
 */
export interface DeltaRecord {
  /** Unique in its delta, not empty. */
  readonly id: string;
  /** As long as the delta's `dimensions`, every component finite. */
  readonly vector: Float32Array;
  readonly document: string;
  /** Numbers are finite; keys that begin with `chroma:` are Chroma's own. */
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
}

/** @throws InvalidReceiptData for the first record that Chroma would refuse, or would take and give back altered. */
export function checkRecords(records: readonly DeltaRecord[], dimensions: number): void {
  if (!Number.isSafeInteger(dimensions) || dimensions < 1) {
    throw new InvalidReceiptData(`dimensions must be a whole number from 1, not ${dimensions}`);
  }
  const seen = new Set<string>();
  records.forEach((record, index) => {
    const { id } = record;
    if (id === '') throw new InvalidReceiptData(`record number ${index} has an empty id`);
    const name = `record ${JSON.stringify(id)}`;
    // SQLite stores UTF-8, which has no lone surrogates: two such ids could become one.
    if (!id.isWellFormed()) throw new InvalidReceiptData(`${name}: the id is not valid Unicode`);
    if (seen.has(id)) throw new InvalidReceiptData(`${name}: the id occurs more than once`);
    seen.add(id);
    checkVector(name, record.vector, dimensions);
    checkMetadata(name, record.metadata);
  });
}

function checkVector(name: string, vector: Float32Array, dimensions: number): void {
  if (vector.length !== dimensions) {
    throw new InvalidReceiptData(
      `${name}: its vector has ${vector.length} dimensions, not ${dimensions}`,
    );
  }
  const index = vector.findIndex((component) => !Number.isFinite(component));
  if (index >= 0)
    throw new InvalidReceiptData(`${name}: component ${index} of its vector is not finite`);
}

function checkMetadata(name: string, metadata: DeltaRecord['metadata']): void {
  for (const [field, value] of Object.entries(metadata)) {
    if (field.startsWith('chroma:')) {
      throw new InvalidReceiptData(
        `${name}: the metadata field ${JSON.stringify(field)} is Chroma's own`,
      );
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new InvalidReceiptData(
        `${name}: the metadata field ${JSON.stringify(field)} is not a finite number`,
      );
    }
  }
}
