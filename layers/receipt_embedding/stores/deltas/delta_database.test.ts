import { describe, expect, it } from 'vitest';
import { collectionIdentity } from './delta_database.ts';

describe('collectionIdentity', () => {
  it('gives six different version-4-shaped UUIDs to the two collections', () => {
    const ids = [collectionIdentity('lines'), collectionIdentity('words')].flatMap(
      ({ collection, vectorSegment, metadataSegment }) => [
        collection,
        vectorSegment,
        metadataSegment,
      ],
    );

    expect(new Set(ids).size).toBe(6);
    expect(
      ids.filter((id) =>
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id),
      ),
    ).toStrictEqual(ids);
  });
});
