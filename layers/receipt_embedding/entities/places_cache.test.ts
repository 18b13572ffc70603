import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { placesCacheCodec, placesCacheKey } from './places_cache.ts';

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
