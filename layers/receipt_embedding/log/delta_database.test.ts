import { describe, expect, it } from 'vitest';
import { collectionIdentity } from './delta_database.ts';

describe('collectionIdentity', () => {
  it('gives different version-4-shaped UUIDs to each collection of each run', () => {
    const names = ['run-1', 'run-2'].flatMap((runId) => [
      { collection: 'lines', runId } as const,
      { collection: 'words', runId } as const,
    ]);
    const ids = names
      .map(collectionIdentity)
      .flatMap(({ collection, vectorSegment, metadataSegment }) => [
        collection,
        vectorSegment,
        metadataSegment,
      ]);

    expect(new Set(ids).size).toBe(12);
    expect(
      ids.filter((id) =>
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id),
      ),
    ).toStrictEqual(ids);
  });
});
