import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Row } from '../entities/row.ts';
import { systemBackoff, whileThrottled, type Backoff } from './backoff.ts';
import { prefixedValues, type QueryInput } from './query.ts';
import { toRow } from './rows.ts';
import type { Table } from './table.ts';

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
