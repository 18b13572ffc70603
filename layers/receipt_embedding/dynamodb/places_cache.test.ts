import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import type { PlacesCache } from '../entities/places_cache.ts';
import { readPlacesCache, writePlacesCache } from './places_cache.ts';

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});

afterAll(() => table.close());

const end = new Date('2025-03-31T10:00:00Z');

const entry: PlacesCache = {
  search_type: 'PHONE',
  search_value: '5551234567',
  place_id: 'place-1',
  places_response: '{"places":[{"id":"place-1"}]}',
  last_updated: '2025-03-01T10:00:00+00:00',
  query_count: 1,
  time_to_live: end.getTime() / 1000,
};

describe('the cache of places', () => {
  const logger = new RecordingLogger();
  const read = (value: string, now: Date) => readPlacesCache(table, 'PHONE', value, now, logger);

  it('gives back what was kept, until its time is over', async () => {
    await writePlacesCache(table, entry);

    expect(await read('5551234567', new Date(end.getTime() - 1))).toStrictEqual(entry);
    expect(await read('(555) 123-4567', new Date(end.getTime() - 1))).toStrictEqual(entry);
    expect(await read('5551234567', end)).toBeUndefined();
  });

  it('knows nothing of another value or of an address', async () => {
    expect(await read('5557654321', new Date(0))).toBeUndefined();
    expect(
      await readPlacesCache(table, 'ADDRESS', '5551234567', new Date(0), logger),
    ).toBeUndefined();
    expect(logger.entries).toStrictEqual([]);
  });

  it('takes a row that can not be read for none, and logs its key', async () => {
    const key = { PK: 'PLACES#PHONE', SK: 'VALUE#____________________5550000001' };
    await table.put({ ...key, TYPE: 'PLACES_CACHE' });

    expect(await read('5550000001', new Date(0))).toBeUndefined();
    expect(logger.keys).toStrictEqual([key]);
  });

  it('keeps the last answer', async () => {
    await writePlacesCache(table, { ...entry, place_id: 'place-2' });

    expect((await read('5551234567', new Date(0)))?.place_id).toBe('place-2');
  });
});
