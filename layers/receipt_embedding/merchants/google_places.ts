import { z } from 'zod';
import { normalizeAddress, normalizePhone } from '../embeddings/normalization.ts';
import { toTimestamp } from '../entities/keys.ts';
import type { Clock, Logger } from '../ports.ts';
import type { Table } from '../table/table.ts';
import { type Fetch, requestJson } from './json_request.ts';
import { readPlacesCache, type SearchType, writePlacesCache } from './places_cache.ts';
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
const KEPT_SECONDS = 30 * 24 * 3_600;

const placeSchema = z.looseObject({
  id: z.string(),
  displayName: z.object({ text: z.string() }).optional(),
  formattedAddress: z.string().optional(),
  nationalPhoneNumber: z.string().optional(),
  types: z.array(z.string()).optional(),
});

const answerSchema = z.looseObject({ places: z.array(placeSchema).default([]) });

type Place = z.output<typeof placeSchema>;

export interface GooglePlacesPorts {
  readonly table: Table;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly fetch?: Fetch;
}

/**
 * The shop that Google knows under a receipt's phone number, else at its address. Answers are kept in
 * the table for 30 days; an empty answer is not kept, because readers of the cache expect a place.
 */
export class GooglePlaces implements MerchantSource {
  readonly name = 'google_places';
  readonly #apiKey: string;
  readonly #ports: GooglePlacesPorts;

  constructor(apiKey: string, ports: GooglePlacesPorts) {
    this.#apiKey = apiKey;
    this.#ports = ports;
  }

  async findMerchant({ phones, addresses }: MerchantEvidence): Promise<string | undefined> {
    for (const phone of phones) {
      const places = await this.#search('PHONE', phone);
      const name = nameOf(
        places.find(
          ({ nationalPhoneNumber = '' }) => normalizePhone(nationalPhoneNumber) === phone,
        ),
      );
      if (name !== undefined) return name;
    }
    for (const address of addresses) {
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
      timeout: TIMEOUT_MS,
    });
    const [first] = answer.places;
    if (first !== undefined) {
      const now = clock();
      await writePlacesCache(table, {
        search_type: searchType,
        search_value: value,
        place_id: first.id,
        places_response: JSON.stringify(answer),
        last_updated: toTimestamp(now),
        query_count: 1,
        time_to_live: Math.floor(now.getTime() / 1000) + KEPT_SECONDS,
      });
    }
    return answer.places;
  }
}

/** @returns undefined for an answer of another API's form, which older rows hold: it is asked for anew. */
function parseKept(response: string): readonly Place[] | undefined {
  try {
    const { data } = answerSchema.safeParse(JSON.parse(response));
    return data === undefined || data.places.length === 0 ? undefined : data.places;
  } catch {
    return undefined;
  }
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
