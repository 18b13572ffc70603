import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import type { Row, RowKey } from '../entities/keys.ts';
import { RateLimited } from '../errors.ts';
import { RETRY_POLICIES, type RetryPorts } from '../retry.ts';
import { toItem, toRow } from './rows.ts';
import { request, type Table } from './table.ts';

/** BatchWriteItem's own limit (docs/data_model.md §4). */
const BATCH = 25;

/**
 * Puts rows, 25 a request, whole and without a condition: for rows that are ours alone. What DynamoDB leaves unprocessed counts as
 * throttled, and is sent again.
 *
 * @returns the number of rows written, which is all of them.
 * @throws RateLimited when rows are still unprocessed after 12 tries; it names how many.
 */
export async function putRows(
  table: Table,
  rows: Iterable<RowKey & Readonly<Record<string, unknown>>>,
  ports?: RetryPorts,
): Promise<number> {
  let written = 0;
  let batch: WriteRequest[] = [];
  const flush = async (): Promise<void> => {
    await writeBatch(table, batch, ports);
    written += batch.length;
    batch = [];
  };
  for (const row of rows) {
    batch.push({ PutRequest: { Item: toItem(row) } });
    if (batch.length === BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  return written;
}

/**
 * Deletes rows, 25 a request; those that are not there are no error.
 *
 * @param keys each once.
 * @throws as putRows.
 */
export async function deleteRows(
  table: Table,
  keys: readonly RowKey[],
  ports?: RetryPorts,
): Promise<void> {
  for (let at = 0; at < keys.length; at += BATCH) {
    const part = keys.slice(at, at + BATCH);
    const requests = part.map(({ PK, SK }) => ({ DeleteRequest: { Key: toItem({ PK, SK }) } }));
    await writeBatch(table, requests, ports);
  }
}

async function writeBatch(
  table: Table,
  requests: readonly WriteRequest[],
  ports: RetryPorts | undefined,
): Promise<void> {
  const retry = RETRY_POLICIES.dynamodb_bulk;
  let left = [...requests];
  await request({ retry, ...(ports === undefined ? {} : { ports }) }, async () => {
    const command = new BatchWriteItemCommand({ RequestItems: { [table.name]: left } });
    const { UnprocessedItems = {} } = await table.client.send(command);
    left = UnprocessedItems[table.name] ?? [];
    if (left.length === 0) return;
    throw new RateLimited(
      `DynamoDB left ${left.length} of ${requests.length} rows unprocessed after ${retry.tries.RateLimited} tries`,
    );
  });
}

/** BatchGetItem's own limit (docs/data_model.md §4). */
const KEYS_A_REQUEST = 100;

/**
 * Attributes of rows, read consistently, 100 rows a request. What DynamoDB leaves unprocessed counts as throttled, and is asked for
 * again.
 *
 * @param keys each once.
 * @returns the rows that exist, in no order, with their keys.
 * @throws RateLimited when keys are still unprocessed after 12 tries.
 */
export async function getRows(
  table: Table,
  keys: readonly RowKey[],
  attributes: readonly string[] = [],
  ports?: RetryPorts,
): Promise<Row[]> {
  const rows: Row[] = [];
  const retry = RETRY_POLICIES.dynamodb_bulk;
  const read = {
    ProjectionExpression: ['PK', 'SK', ...attributes].join(', '),
    ConsistentRead: true,
  };
  for (let at = 0; at < keys.length; at += KEYS_A_REQUEST) {
    let left = keys.slice(at, at + KEYS_A_REQUEST).map(({ PK, SK }) => toItem({ PK, SK }));
    await request({ retry, ...(ports === undefined ? {} : { ports }) }, async () => {
      const command = new BatchGetItemCommand({
        RequestItems: { [table.name]: { ...read, Keys: left } },
      });
      const { Responses = {}, UnprocessedKeys = {} } = await table.client.send(command);
      rows.push(...(Responses[table.name] ?? []).map(toRow));
      left = UnprocessedKeys[table.name]?.Keys ?? [];
      if (left.length === 0) return;
      throw new RateLimited(
        `DynamoDB left ${left.length} keys unprocessed after ${retry.tries.RateLimited} tries`,
      );
    });
  }
  return rows;
}

/** Which of these rows there are: `{PK}#{SK}` of each. @see getRows */
export async function existingKeys(
  table: Table,
  keys: readonly RowKey[],
  ports?: RetryPorts,
): Promise<Set<string>> {
  const rows = await getRows(table, keys, [], ports);
  return new Set(rows.map(({ PK, SK }) => `${PK}#${SK}`));
}
