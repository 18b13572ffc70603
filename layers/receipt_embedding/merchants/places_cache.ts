import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { z } from 'zod';
import { keyFields, type RowKey, timestampSchema } from '../entities/keys.ts';
import type { Logger } from '../ports.ts';
import { readRows, type Table, toRow } from '../table/table.ts';

/** The kept answer to a search; DynamoDB removes rows late, so one past its time counts as none. */
export async function readPlacesCache(
  table: Table,
  searchType: SearchType,
  value: string,
  now: Date,
  logger: Logger,
): Promise<PlacesCache | undefined> {
  const { Item } = await table.client.send(
    new GetItemCommand({ TableName: table.name, Key: marshall(placesCacheKey(searchType, value)) }),
  );
  if (Item === undefined) return undefined;
  const [entry] = readRows([toRow(Item)], placesCacheCodec, logger).entities;
  return entry !== undefined && entry.time_to_live > now.getTime() / 1000 ? entry : undefined;
}

/** Keeps an answer; the last one wins, since any of them is as good. */
export async function writePlacesCache(table: Table, entry: PlacesCache): Promise<void> {
  await table.client.send(
    new PutItemCommand({
      TableName: table.name,
      Item: marshall(z.encode(placesCacheCodec, entry)),
    }),
  );
}

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
