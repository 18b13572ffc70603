import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { z } from 'zod';
import {
  placesCacheCodec,
  placesCacheKey,
  type PlacesCache,
  type SearchType,
} from '../entities/places_cache.ts';
import type { Logger } from '../ports/logger.ts';
import { readRows } from './read_rows.ts';
import { toRow } from './rows.ts';
import type { Table } from './table.ts';

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
