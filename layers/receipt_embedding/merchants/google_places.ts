import { z } from 'zod';
import { normalizeAddress, normalizePhone } from '../embeddings/normalization.ts';
import { keyFields, type RowKey, timestampSchema, toTimestamp } from '../entities/keys.ts';
import { type Fetch, requestJson } from '../json_request.ts';
import type { Clock, Logger } from '../ports.ts';
import { parseJson } from '../local_files.ts';
import { readRows } from '../table/rows.ts';
import { getRow, putRow, type Table } from '../table/table.ts';
import { checkedKey } from '../vendor_answers/credentials.ts';
import { GOOGLE } from '../vendor_answers/google.ts';
import type { MerchantEvidence, MerchantSource } from './resolve_merchant.ts';

/** Places API (New), Text Search. */
const SEARCH_URL = 'https://places.googleapis.com/v1/places:searchText';
/** The answer is billed by the fields that are asked for. */
const FIELDS = [
  'places.id',
  'places.displayName',
  'places.formattedAddress',
  'places.nationalPhoneNumber',
  'places.types',
].join(',');
const TIMEOUT_MS = 10_000;
/** Phone numbers, and addresses, that are asked for of one receipt: each is a request that Google bills. The shop's own stand first. */
const MOST_ASKED = 3;
const KEPT_SECONDS = 30 * 24 * 3_600;

const placeSchema = z.looseObject({
  id: z.string(),
  displayName: z.object({ text: z.string() }).optional().catch(undefined),
  formattedAddress: z.string().optional().catch(undefined),
  nationalPhoneNumber: z.string().optional().catch(undefined),
  types: z.array(z.string()).optional().catch(undefined),
});

const answerSchema = z.looseObject({
  places: z
    .array(placeSchema)
    .nullish()
    .transform((places) => places ?? []),
});

type Place = z.output<typeof placeSchema>;

interface GooglePlacesPorts {
  readonly table: Table;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly fetch?: Fetch;
}

/**
 * The shop that Google knows under a receipt's phone number, else at its address: the first three of each are asked for, one after
 * the other, until one is known. Answers are kept in
 * the table for 30 days; an empty answer is not kept, because readers of the cache expect a place.
 *
 * @example
 * ```ts
 * await new GooglePlaces(apiKey, { table, clock, logger }).findMerchant(evidence); // 'Corner Market'
 * ```
 */
export class GooglePlaces implements MerchantSource {
  readonly name = 'google_places';
  readonly #apiKey: string;
  readonly #ports: GooglePlacesPorts;

  constructor(apiKey: string, ports: GooglePlacesPorts) {
    this.#apiKey = checkedKey("Google's API key", apiKey);
    this.#ports = ports;
  }

  async findMerchant({ phones, addresses }: MerchantEvidence): Promise<string | undefined> {
    for (const phone of phones.slice(0, MOST_ASKED)) {
      const places = await this.#search('PHONE', phone);
      const name = nameOf(
        places.find(
          ({ nationalPhoneNumber = '' }) => normalizePhone(nationalPhoneNumber) === phone,
        ),
      );
      if (name !== undefined) return name;
    }
    for (const address of addresses.slice(0, MOST_ASKED)) {
      const places = await this.#search('ADDRESS', address);
      const name = nameOf(places.find((place) => isShopAt(place, address)));
      if (name !== undefined) return name;
    }
    return undefined;
  }

  async #search(searchType: SearchType, value: string): Promise<readonly Place[]> {
    const { table, clock, logger, fetch = globalThis.fetch } = this.#ports;
    const kept = await readPlacesCache(table, searchType, value, clock(), logger);
    const places = kept === undefined ? undefined : parseKept(kept.places_response);
    if (places !== undefined) return places;
    const answer = await requestJson(fetch, answerSchema, {
      url: SEARCH_URL,
      body: { textQuery: value },
      headers: { 'x-goog-api-key': this.#apiKey, 'x-goog-fieldmask': FIELDS },
      errors: GOOGLE,
      timeout: TIMEOUT_MS,
    });
    const [first] = answer.places;
    if (first !== undefined) {
      const now = clock();
      const entry: PlacesCache = {
        search_type: searchType,
        search_value: value,
        place_id: first.id,
        places_response: JSON.stringify(answer),
        last_updated: toTimestamp(now),
        query_count: 1,
        time_to_live: Math.floor(now.getTime() / 1000) + KEPT_SECONDS,
      };
      // The last one wins, since any of them is as good.
      await putRow(table, z.encode(placesCacheCodec, entry));
    }
    return answer.places;
  }
}

/** @returns undefined for an answer of another API's form, which older rows hold: Google is asked again. */
function parseKept(response: string): readonly Place[] | undefined {
  const { data } = answerSchema.safeParse(parseJson(response));
  return data === undefined || data.places.length === 0 ? undefined : data.places;
}

/** An address alone is a place too, named like itself: only an establishment has a merchant's name. */
function isShopAt({ types = [], formattedAddress = '' }: Place, address: string): boolean {
  const street = letters(normalizeAddress(formattedAddress.split(',')[0] ?? '') ?? '');
  return types.includes('establishment') && street !== '' && letters(address).startsWith(street);
}

function letters(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]/gu, '');
}

function nameOf(place: Place | undefined): string | undefined {
  return place?.displayName?.text;
}

/** The kept answer to a search; DynamoDB removes rows late, so one past its time counts as none. */
export async function readPlacesCache(
  table: Table,
  searchType: SearchType,
  value: string,
  now: Date,
  logger: Logger,
): Promise<PlacesCache | undefined> {
  const row = await getRow(table, placesCacheKey(searchType, value));
  if (row === undefined) return undefined;
  const [entry] = readRows([row], placesCacheCodec, logger).entities;
  return entry !== undefined && entry.time_to_live > now.getTime() / 1000 ? entry : undefined;
}

const searchTypeSchema = z.enum(['PHONE', 'ADDRESS']);
type SearchType = z.output<typeof searchTypeSchema>;

const placesCacheSchema = z.object({
  search_type: searchTypeSchema,
  search_value: z.string().min(1),
  place_id: z.string(),
  /** The answer of the Places API as JSON text. */
  places_response: z.string(),
  last_updated: timestampSchema,
  query_count: z.int().min(0),
  /** Epoch seconds after which DynamoDB removes the row. */
  time_to_live: z.int(),
});

/** One answer of the Google Places API, kept for 30 days. */
export type PlacesCache = z.output<typeof placesCacheSchema>;

const storedSchema = z.looseObject({
  ...keyFields,
  TYPE: z.literal('PLACES_CACHE'),
  ...placesCacheSchema.shape,
});

/**
 * Row ⇄ PlacesCache (docs/data_model.md §1).
 *
 * @example
 * ```ts
 * // { PK: 'PLACES#PHONE', SK: 'VALUE#____________________5551234567', TYPE: 'PLACES_CACHE', place_id: 'ChIJ…', … }
 * ```
 */
export const placesCacheCodec = z.codec(storedSchema, placesCacheSchema, {
  decode: (row) => row,
  encode: (entry) => ({
    ...placesCacheKey(entry.search_type, entry.search_value),
    TYPE: 'PLACES_CACHE' as const,
    GSI1PK: 'PLACE_ID',
    GSI1SK: `PLACE_ID#${entry.place_id}`,
    ...entry,
  }),
});

/** The digits of a PHONE key are left-padded with `_` to 30 characters. */
export function placesCacheKey(searchType: SearchType, value: string): RowKey {
  const stored = searchType === 'PHONE' ? value.replaceAll(/\D/g, '').padStart(30, '_') : value;
  return { PK: `PLACES#${searchType}`, SK: `VALUE#${stored}` };
}
