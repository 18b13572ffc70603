import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  type GetItemCommandInput,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import type { Row, RowKey } from '../entities/keys.ts';
import { RateLimited } from '../errors.ts';
import { RETRY_POLICIES, type RetryPolicy, type RetryPorts, retrying } from '../retry.ts';
import { toItem, toRow } from './rows.ts';

/** The users' table and the client that speaks to it. The requests below retry: the client must not. */
export interface Table {
  readonly client: DynamoDBClient;
  readonly name: string;
}

/** How a request is repeated. */
export interface RetryOptions {
  /** @default RETRY_POLICIES.dynamodb */
  readonly retry?: RetryPolicy;
  readonly ports?: RetryPorts;
}

/** Values of an expression by their names without the colon: `status` stands for `:status`. */
type Values = Readonly<Record<string, unknown>>;

/**
 * Reads one row.
 *
 * @returns undefined when there is none; numbers are doubles, see toRow.
 * @throws RateLimited, UpstreamUnavailable, InvalidConfiguration, InvalidRequest, as all requests of this file.
 * @example
 * ```ts
 * await getRow(table, { PK: 'BATCH#0b6a…', SK: 'STATUS' }, { ConsistentRead: true });
 * // { PK: 'BATCH#0b6a…', SK: 'STATUS', TYPE: 'BATCH_SUMMARY', status: 'PENDING', … }
 * ```
 */
export async function getRow(
  table: Table,
  { PK, SK }: RowKey,
  read: Omit<GetItemCommandInput, 'TableName' | 'Key'> = {},
  options: RetryOptions = {},
): Promise<Row | undefined> {
  const command = new GetItemCommand({ ...read, TableName: table.name, Key: toItem({ PK, SK }) });
  const { Item } = await request(options, () => table.client.send(command));
  return Item === undefined ? undefined : toRow(Item);
}

interface PutCondition {
  readonly onlyNew?: boolean;
  readonly onlyIf?: { readonly version: number };
}

/**
 * Writes a row whole; attributes that are undefined are left out.
 *
 * @param condition that it is new, or that the row in its place still has this version.
 * @returns false when the condition does not hold: nothing is written then.
 */
export async function putRow(
  table: Table,
  row: RowKey & Values,
  { onlyNew = false, onlyIf }: PutCondition = {},
): Promise<boolean> {
  const command = new PutItemCommand({
    TableName: table.name,
    Item: toItem(row),
    ...(onlyNew ? { ConditionExpression: 'attribute_not_exists(PK)' } : {}),
    ...(onlyIf === undefined
      ? {}
      : {
          ConditionExpression: 'version = :version',
          ExpressionAttributeValues: expressionValues(onlyIf),
        }),
  });
  return await conditionHeld(request({}, () => table.client.send(command)));
}

/**
 * Deletes a row, if there is one and one attribute of it is still as it was read.
 *
 * @returns false when there is none, or another one by now: nothing is deleted then.
 * @example
 * ```ts
 * await deleteRow(table, embeddedReceiptKey(record), { version: record.version }); // true
 * ```
 */
export async function deleteRow(
  table: Table,
  { PK, SK }: RowKey,
  onlyIf: Values,
): Promise<boolean> {
  const [name = ''] = Object.keys(onlyIf);
  const command = new DeleteItemCommand({
    TableName: table.name,
    Key: toItem({ PK, SK }),
    ConditionExpression: `#name = :${name}`,
    ExpressionAttributeNames: { '#name': name },
    ExpressionAttributeValues: expressionValues(onlyIf),
  });
  return await conditionHeld(request({}, () => table.client.send(command)));
}

type RowUpdate = Omit<UpdateItemCommandInput, 'TableName' | 'Key' | 'ExpressionAttributeValues'> & {
  readonly values: Values;
};

/**
 * Changes a row on a condition.
 *
 * @returns whether the condition held, in which case the row is changed.
 * @example
 * ```ts
 * await updateRow(table, key, {
 *   UpdateExpression: 'SET lease = :owner',
 *   ConditionExpression: 'attribute_not_exists(lease)',
 *   values: { owner: 'poll-1' },
 * }); // true
 * ```
 */
export async function updateRow(
  table: Table,
  { PK, SK }: RowKey,
  { values, ...update }: RowUpdate,
  options: RetryOptions = {},
): Promise<boolean> {
  const command = new UpdateItemCommand({
    ...update,
    TableName: table.name,
    Key: toItem({ PK, SK }),
    ExpressionAttributeValues: expressionValues(values),
  });
  return await conditionHeld(request(options, () => table.client.send(command)));
}

/** @returns whether the condition of a write held; any other failure is thrown. */
async function conditionHeld(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}

export type QueryInput = Omit<QueryCommandInput, 'TableName' | 'ExpressionAttributeValues'> & {
  readonly values: Values;
};

/** The query for all rows of a type, in the index's own order. */
export function ofType(type: string): QueryInput {
  return {
    IndexName: 'GSITYPE',
    KeyConditionExpression: '#type = :type',
    ExpressionAttributeNames: { '#type': 'TYPE' },
    values: { type },
  };
}

/** One answer of DynamoDB's to a query: at most 1 MB of rows before its filter. */
interface QueryPage {
  /** Rows in it, also where the query selects nothing but their count. */
  readonly count: number;
  readonly rows: readonly Row[];
}

export interface QueryOptions extends RetryOptions {
  /** Ends the reading before its next page, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * All rows of a query, page by page. Each page is retried by itself, so that a reading of millions of rows goes on where it was throttled.
 *
 * @throws RateLimited and the like when a page has no try left; the signal's reason.
 * @example
 * ```ts
 * for await (const { rows } of queryPages(table, {
 *   IndexName: 'GSI3',
 *   KeyConditionExpression: 'GSI3PK = :receipt AND GSI3SK = :kind',
 *   values: { receipt: 'IMAGE#3f52…#RECEIPT#00001', kind: 'LINE' },
 * })) …
 * ```
 */
export async function* queryPages(
  table: Table,
  { values, ...query }: QueryInput,
  { signal, ...options }: QueryOptions = {},
): AsyncGenerator<QueryPage> {
  const input = {
    ...query,
    TableName: table.name,
    ExpressionAttributeValues: expressionValues(values),
  };
  let next: QueryCommandOutput['LastEvaluatedKey'] = query.ExclusiveStartKey;
  do {
    signal?.throwIfAborted();
    const command = new QueryCommand({ ...input, ExclusiveStartKey: next });
    const page = await request(options, () => table.client.send(command));
    next = page.LastEvaluatedKey;
    yield { count: page.Count ?? 0, rows: (page.Items ?? []).map(toRow) };
  } while (next !== undefined);
}

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
  rows: Iterable<RowKey & Values>,
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

async function request<Answer>(
  { retry = RETRY_POLICIES.dynamodb, ports }: RetryOptions,
  send: () => Promise<Answer>,
): Promise<Answer> {
  return await retrying(retry, send, ports);
}

function expressionValues(values: Values): Record<string, AttributeValue> {
  const prefixed = Object.entries(values).map(([name, value]) => [`:${name}`, value] as const);
  return toItem(Object.fromEntries(prefixed));
}
