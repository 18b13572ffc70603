import {
  type AttributeValue,
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
} from '@aws-sdk/client-dynamodb';
import type { Row, RowKey } from '../entities/keys.ts';
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

/** Sends a request until it succeeds or has no try left. */
export async function request<Answer>(
  { retry = RETRY_POLICIES.dynamodb, ports }: RetryOptions,
  send: () => Promise<Answer>,
): Promise<Answer> {
  return await retrying(retry, send, ports);
}

function expressionValues(values: Values): Record<string, AttributeValue> {
  const prefixed = Object.entries(values).map(([name, value]) => [`:${name}`, value] as const);
  return toItem(Object.fromEntries(prefixed));
}
