import { createHash } from 'node:crypto';
import type { CollectionName } from './delta_record.ts';

/** The UUIDs under which a delta's one collection and its two segments are stored. */
export interface CollectionIdentity {
  readonly collection: string;
  readonly vectorSegment: string;
  readonly metadataSegment: string;
}

/** The same for every delta of a collection: a delta's bytes depend on its records alone. */
export function collectionIdentity(name: CollectionName): CollectionIdentity {
  return {
    collection: uuidOf(`receipt-embedding/${name}`),
    vectorSegment: uuidOf(`receipt-embedding/${name}/vector`),
    metadataSegment: uuidOf(`receipt-embedding/${name}/metadata`),
  };
}

/** The first 122 bits of the name's SHA-256, in the shape of a version-4 UUID (RFC 9562 §5.4). */
function uuidOf(name: string): string {
  const hash = createHash('sha256').update(name).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x40, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-');
}
