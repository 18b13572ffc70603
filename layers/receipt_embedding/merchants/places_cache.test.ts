import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import {
  type PlacesCache,
  placesCacheCodec,
  placesCacheKey,
  readPlacesCache,
  writePlacesCache,
} from './places_cache.ts';

describe('places cache', () => {
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
});

describe('places cache', () => {
  const entry = {
    search_type: 'PHONE' as const,
    search_value: '5551234567',
    place_id: 'place-1',
    places_response: '{"places":[]}',
    last_updated: '2025-03-01T10:00:00+00:00',
    query_count: 0,
    time_to_live: 1_743_415_200,
  };

  const row = {
    PK: 'PLACES#PHONE',
    SK: 'VALUE#____________________5551234567',
    TYPE: 'PLACES_CACHE',
    GSI1PK: 'PLACE_ID',
    GSI1SK: 'PLACE_ID#place-1',
    ...entry,
  };

  describe('a places cache row', () => {
    it('is written under its key and its place', () => {
      expect(z.encode(placesCacheCodec, entry)).toStrictEqual(row);
    });

    it('is read as it was written', () => {
      expect(z.decode(placesCacheCodec, row as never)).toStrictEqual(entry);
    });

    it.each([
      ['another TYPE', { TYPE: 'PLACES' }],
      ['a search type that there is not', { search_type: 'NAME' }],
      ['no time to live', { time_to_live: undefined }],
    ])('is refused with %s', (_, change) => {
      expect(z.safeDecode(placesCacheCodec, { ...row, ...change } as never).success).toBe(false);
    });
  });

  describe('the key of a search', () => {
    it.each([
      ['5551234567', 'VALUE#____________________5551234567'],
      ['(555) 123-4567', 'VALUE#____________________5551234567'],
      ['+1 555 123 4567', 'VALUE#___________________15551234567'],
    ])('by the phone number %s is its digits, padded to 30 characters', (value, SK) => {
      expect(placesCacheKey('PHONE', value)).toStrictEqual({ PK: 'PLACES#PHONE', SK });
    });

    it('by an address is the address as it is', () => {
      expect(placesCacheKey('ADDRESS', '1 MAIN ST')).toStrictEqual({
        PK: 'PLACES#ADDRESS',
        SK: 'VALUE#1 MAIN ST',
      });
    });
  });
});
