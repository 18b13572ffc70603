import { putRow } from '../table/table.ts';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, fakeFetch } from '../../../tests/support/fake_fetch.ts';
import { RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import {
  GooglePlaces,
  type PlacesCache,
  placesCacheCodec,
  placesCacheKey,
  readPlacesCache,
} from './google_places.ts';

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});

afterAll(() => table.close());

const now = new Date('2025-03-01T10:00:00.000Z');

const shop = {
  id: 'place-1',
  displayName: { text: 'Corner Market' },
  formattedAddress: '12 Main St, Springfield, IL 62701, USA',
  nationalPhoneNumber: '(555) 123-4567',
  types: ['grocery_store', 'establishment'],
};

interface Evidence {
  readonly phones?: readonly string[];
  readonly addresses?: readonly string[];
}

function ask(evidence: Evidence, ...answers: readonly Answer[]) {
  const { fetch, requests } = fakeFetch(...answers);
  const places = new GooglePlaces('SECRET', {
    table,
    clock: () => now,
    logger: new RecordingLogger(),
    fetch,
  });
  const found = places.findMerchant({
    ...RECEIPT,
    phones: [],
    addresses: [],
    lines: [],
    ...evidence,
  });
  return { found, requests };
}

const places = (...list: readonly object[]): Answer => ({ json: { places: list } });

/** No two tests share a phone number, so none finds in the cache what another has put there. */
let numbers = 5_551_230_000;

const aPhone = (): string => String(numbers++);

describe('asking Google for a shop', () => {
  it('searches by the phone number with the key in a header, and keeps the answer for 30 days', async () => {
    const phone = aPhone();
    const answer = { places: [{ ...shop, nationalPhoneNumber: `+1 ${phone}` }] };

    const { found, requests } = ask({ phones: [phone] }, { json: answer });

    expect(await found).toBe('Corner Market');
    expect(requests.map(({ method, url, body }) => ({ method, url, body }))).toStrictEqual([
      {
        method: 'POST',
        url: 'https://places.googleapis.com/v1/places:searchText',
        body: { textQuery: phone },
      },
    ]);
    expect(requests[0]?.headers.get('x-goog-api-key')).toBe('SECRET');
    expect(requests[0]?.headers.get('x-goog-fieldmask')).toBe(
      'places.id,places.displayName,places.formattedAddress,places.nationalPhoneNumber,places.types',
    );
    const key = { PK: 'PLACES#PHONE', SK: `VALUE#____________________${phone}` };
    expect(await table.get(key)).toStrictEqual({
      ...key,
      TYPE: 'PLACES_CACHE',
      GSI1PK: 'PLACE_ID',
      GSI1SK: 'PLACE_ID#place-1',
      search_type: 'PHONE',
      search_value: phone,
      place_id: 'place-1',
      places_response: JSON.stringify(answer),
      last_updated: '2025-03-01T10:00:00.000+00:00',
      query_count: 1,
      time_to_live: Date.parse('2025-03-31T10:00:00Z') / 1000,
    });
  });

  it('makes no request for what is in the cache', async () => {
    const phone = aPhone();
    const answer = places({ ...shop, nationalPhoneNumber: phone });
    await ask({ phones: [phone] }, answer).found;

    const { found, requests } = ask({ phones: [phone] });

    expect(await found).toBe('Corner Market');
    expect(requests).toStrictEqual([]);
  });

  it.each([
    ['is past its time', { time_to_live: now.getTime() / 1000 }],
    [
      'is the text of another API',
      { places_response: '{"status":"OK","results":[{"name":"Old"}]}' },
    ],
    [
      'is of an API that answered a place at once',
      { places_response: '{"name":"Old","place_id":"x"}' },
    ],
    ['is no JSON', { places_response: 'Old' }],
    ['can not be read', { places_response: 7 }],
  ])('asks anew, and keeps the new answer, when what is in the cache %s', async (_, change) => {
    const phone = aPhone();
    const key = { PK: 'PLACES#PHONE', SK: `VALUE#____________________${phone}` };
    await table.put({
      ...key,
      TYPE: 'PLACES_CACHE',
      search_type: 'PHONE',
      search_value: phone,
      place_id: 'old',
      places_response: JSON.stringify({ places: [{ ...shop, displayName: { text: 'Old' } }] }),
      last_updated: '2025-02-01T10:00:00',
      query_count: 1,
      time_to_live: now.getTime() / 1000 + 1,
      ...change,
    });

    const { found, requests } = ask(
      { phones: [phone] },
      places({ ...shop, nationalPhoneNumber: phone }),
    );

    expect(await found).toBe('Corner Market');
    expect(requests).toHaveLength(1);
    expect((await table.get(key))?.['place_id']).toBe('place-1');
  });

  it('asks for three phone numbers and three addresses of a receipt at most', async () => {
    const phones = Array.from({ length: 9 }, aPhone);
    const addresses = phones.map((phone) => `${phone} MAIN STREET`);

    const { found, requests } = ask({ phones, addresses }, ...Array<Answer>(18).fill(places()));

    expect(await found).toBeUndefined();
    expect(requests.map(({ body }) => body)).toStrictEqual(
      [...phones.slice(0, 3), ...addresses.slice(0, 3)].map((textQuery) => ({ textQuery })),
    );
  });

  it('keeps no empty answer', async () => {
    const phone = aPhone();

    expect(await ask({ phones: [phone] }, { json: {} }).found).toBeUndefined();
    expect(
      await table.get({ PK: 'PLACES#PHONE', SK: `VALUE#____________________${phone}` }),
    ).toBeUndefined();
    const { found, requests } = ask({ phones: [phone] }, places());
    expect(await found).toBeUndefined();
    expect(requests).toHaveLength(1);
  });

  it('takes a place by phone only where the number agrees, then goes on to the address', async () => {
    const phone = aPhone();
    const address = `${phone} MAIN ST, SPRINGFIELD`;

    const { found, requests } = ask(
      { phones: [phone], addresses: [address] },
      places({ ...shop, nationalPhoneNumber: '(555) 999-9999', displayName: { text: 'Wrong' } }),
      places({ ...shop, formattedAddress: `${phone} Main Street, Springfield` }),
    );

    expect(await found).toBe('Corner Market');
    expect(requests.map(({ body }) => body)).toStrictEqual([
      { textQuery: phone },
      { textQuery: address },
    ]);
  });

  it.each([
    ['an establishment at that street', {}, 'Corner Market'],
    ['only the address itself', { types: ['street_address'] }, undefined],
    ['an establishment elsewhere', { formattedAddress: '9 Oak St, Springfield' }, undefined],
    ['an establishment without an address', { formattedAddress: undefined }, undefined],
    ['an establishment without a name', { displayName: undefined }, undefined],
  ])('by an address takes %s or not', async (_, change, name) => {
    const number = aPhone();
    const address = `${number} MAIN ST`;
    const place = { ...shop, formattedAddress: `${number} Main Street, Springfield`, ...change };

    expect(await ask({ addresses: [address] }, places(place)).found).toBe(name);
  });

  it('asks nothing where there is neither phone nor address', async () => {
    const { found, requests } = ask({});

    expect(await found).toBeUndefined();
    expect(requests).toStrictEqual([]);
  });

  it.each<[Answer, string]>([
    [{ status: 403 }, 'InvalidConfiguration'],
    [{ status: 429 }, 'RateLimited'],
    [{ json: { places: [{ displayName: 'no id' }] } }, 'UpstreamUnavailable'],
  ])('fails by a name of the layer’s when it answers %j', async (answer, name) => {
    const error = await rejection(ask({ phones: [aPhone()] }, answer).found);

    expect(error.name).toBe(name);
    expect(error.message).not.toContain('SECRET');
  });
});

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

    it('answers what was kept, until its time is over', async () => {
      await putRow(table, z.encode(placesCacheCodec, entry));

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
      await putRow(table, z.encode(placesCacheCodec, { ...entry, place_id: 'place-2' }));

      expect((await read('5551234567', new Date(0)))?.place_id).toBe('place-2');
    });
  });
});

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
