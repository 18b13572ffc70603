import { paginateQuery, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Row } from '../entities/row.ts';
import { toRow } from './rows.ts';
import type { Table } from './table.ts';

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
