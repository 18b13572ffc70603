import { z } from 'zod';
import type { RowKey } from './keys.ts';
import { keyFields } from './row.ts';
import { timestampSchema } from './timestamp.ts';

export const searchTypeSchema = z.enum(['PHONE', 'ADDRESS']);
export type SearchType = z.output<typeof searchTypeSchema>;

export const placesCacheSchema = z.object({
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

/** Row ⇄ PlacesCache (docs/data_model.md §1). */
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
