import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  paginateQuery,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { z } from 'zod';
import type { Row, RowKey } from '../entities/keys.ts';
import { RateLimited } from '../errors.ts';
import type { Logger } from '../ports.ts';
import {
  type Backoff,
  backOff,
  PATIENT_ATTEMPTS,
  systemBackoff,
  whileThrottled,
} from '../retry.ts';

/** The users' table and the client that speaks to it. */
export interface Table {
  readonly client: DynamoDBClient;
  readonly name: string;
}

export type QueryInput = Omit<QueryCommandInput, 'TableName' | 'ExpressionAttributeValues'> & {
  readonly values: Readonly<Record<string, string | boolean>>;
};

/** All rows of a query, page by page (a page of DynamoDB's holds at most 1 MB before its filter). */
export async function* queryPages(
  table: Table,
  { values, ...input }: QueryInput,
): AsyncGenerator<readonly Row[]> {
  const pages = paginateQuery(
    { client: table.client },
    {
      ...input,
      TableName: table.name,
      ExpressionAttributeValues: marshall(prefixedValues(values)),
    },
  );
  for await (const page of pages) {
    yield (page.Items ?? []).map(toRow);
  }
}

/** Values by the names that expressions have for them: with a colon. */
export function prefixedValues(values: QueryInput['values']): Record<string, string | boolean> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value]));
}

/** One answer of DynamoDB's to a query: at most 1 MB of rows before its filter. */
export interface QueryPage {
  /** Rows in it, also where the query selects nothing but their count. */
  readonly count: number;
  readonly rows: readonly Row[];
}

/** What long readings of a table may be told. */
export interface ReadingOptions {
  /** Ends the reading before its next page, with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly backoff?: Backoff;
}

/**
 * A query, page by page, for reading millions of rows beside others who use the table: a page that is throttled is asked for again with
 * backoff, where the reading as a whole can't be.
 *
 * @throws RateLimited when the 12th try for a page is throttled too; the signal's reason.
 */
export async function* patientPages(
  table: Table,
  { values, ...input }: QueryInput,
  { signal, backoff = systemBackoff }: ReadingOptions = {},
): AsyncGenerator<QueryPage> {
  const query = {
    ...input,
    TableName: table.name,
    ExpressionAttributeValues: marshall(prefixedValues(values)),
  };
  let next: QueryCommandOutput['LastEvaluatedKey'];
  do {
    signal?.throwIfAborted();
    const ExclusiveStartKey = next;
    const page = await whileThrottled(
      () => table.client.send(new QueryCommand({ ...query, ExclusiveStartKey })),
      backoff,
    );
    next = page.LastEvaluatedKey;
    yield { count: page.Count ?? 0, rows: (page.Items ?? []).map(toRow) };
  } while (next !== undefined);
}

export interface ReadRows<Entity> {
  readonly entities: Entity[];
  /** The keys of the rows that could not be read. They are skipped and logged, never fatal. */
  readonly invalid: RowKey[];
}

/** Decodes rows one by one: one that can't be read is logged with its key and left out. */
export function readRows<Entity>(
  rows: Iterable<Row>,
  codec: z.ZodType<Entity>,
  logger: Logger,
): ReadRows<Entity> {
  const entities: Entity[] = [];
  const invalid: RowKey[] = [];
  for (const row of rows) {
    const decoded = z.safeDecode(codec, row);
    if (decoded.success) {
      entities.push(decoded.data);
      continue;
    }
    const key = { PK: row.PK, SK: row.SK };
    invalid.push(key);
    // The fields and what was expected of them, never their values: those may be a receipt's text.
    const fields = decoded.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    logger.warn('a row can not be read and is skipped', { key, fields });
  }
  return { entities, invalid };
}

/**
 * A row as DynamoDB answers it, as an object. Its numbers have up to 38 digits; they become the nearest double, where
 * the SDK by itself would refuse the row, and with it everything that was read with it.
 */
export function toRow(item: Record<string, AttributeValue>): Row {
  return unmarshall(item, { wrapNumbers: Number }) as Row;
}

/** @returns whether the condition of a write held, in which case it is done; any other failure is thrown. */
export async function conditionHeld(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}

/** BatchWriteItem's own limit (docs/data_model.md §4). */
const BATCH = 25;

/**
 * Puts rows, 25 a request, whole and without a condition: for rows that are ours alone. What DynamoDB
 * leaves unprocessed is sent again with backoff.
 *
 * @returns the number of rows written, which is all of them.
 * @throws RateLimited when rows are still unprocessed after 12 tries; it names how many.
 */
export async function putRows(
  table: Table,
  rows: Iterable<RowKey & Readonly<Record<string, unknown>>>,
  backoff: Backoff = systemBackoff,
): Promise<number> {
  let written = 0;
  let batch: WriteRequest[] = [];
  const flush = async (): Promise<void> => {
    await writeAll(table, batch, backoff);
    written += batch.length;
    batch = [];
  };
  for (const row of rows) {
    batch.push({ PutRequest: { Item: marshall(row, { removeUndefinedValues: true }) } });
    if (batch.length === BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  return written;
}

async function writeAll(
  table: Table,
  requests: readonly WriteRequest[],
  backoff: Backoff,
): Promise<void> {
  let left = [...requests];
  for (let attempt = 0; attempt < PATIENT_ATTEMPTS; attempt++) {
    if (attempt > 0) await backOff(backoff, attempt);
    const { UnprocessedItems = {} } = await table.client.send(
      new BatchWriteItemCommand({ RequestItems: { [table.name]: left } }),
    );
    left = UnprocessedItems[table.name] ?? [];
    if (left.length === 0) return;
  }
  throw new RateLimited(
    `DynamoDB left ${left.length} of ${requests.length} rows unprocessed after ${PATIENT_ATTEMPTS} tries`,
  );
}
