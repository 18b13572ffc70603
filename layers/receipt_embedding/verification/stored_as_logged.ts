import type { LoggedVector } from '../log/vector_log.ts';
import { abbreviates } from '../stores/listed_metadata.ts';
import type { StoredVector, VectorMetadata } from '../stores/vector_store.ts';

/** No store keeps less of a number than a float32, and some give it back as text. */
const TOLERANCE = 1e-6;

/** Whether a store has a vector as the log has it. What the store's limits have cut off its metadata is no difference. */
export function isStoredAsLogged(stored: StoredVector, logged: LoggedVector): boolean {
  return (
    isSameVector(stored.vector, logged.vector) && abbreviates(stored.metadata, logged.metadata)
  );
}

function isSameVector(a: Float32Array, b: Float32Array): boolean {
  return (
    a.length === b.length && a.every((value, at) => Math.abs(value - (b[at] ?? 0)) <= TOLERANCE)
  );
}

/**
 * Whether the log's metadata are what rows give now. `source` is of the run that bought the vector. A merchant that no row names was looked
 * up when the run was made, and is not looked up again.
 */
export function isSameMetadata(
  logged: VectorMetadata,
  now: VectorMetadata,
  namesMerchant: boolean,
): boolean {
  return describe(logged, namesMerchant) === describe(now, namesMerchant);
}

function describe(metadata: VectorMetadata, namesMerchant: boolean): string {
  const said = Object.entries(metadata).filter(
    ([name, value]) =>
      name !== 'source' &&
      (name !== 'merchant_name' || (namesMerchant && value !== '')) &&
      value !== undefined,
  );
  return JSON.stringify(said.sort(([a], [b]) => (a < b ? -1 : 1)));
}
