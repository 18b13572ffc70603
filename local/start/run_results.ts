import { paginateQuery } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { compactionRunCodec, type CompactionRun } from 'receipt-embedding/entities';
import type { Table } from 'receipt-embedding/table';
import { z } from 'zod';

/** Embedding status → how many. */
export type StatusCounts = Readonly<Record<string, number>>;

/** How many lines (words) have which embedding status. */
export async function countStatuses(
  table: Table,
  type: 'RECEIPT_LINE' | 'RECEIPT_WORD',
): Promise<StatusCounts> {
  const counts: Record<string, number> = {};
  const pages = query(table, {
    IndexName: 'GSITYPE',
    KeyConditionExpression: '#type = :value',
    ExpressionAttributeNames: { '#type': 'TYPE' },
    value: type,
    ProjectionExpression: 'embedding_status',
  });
  for await (const { embedding_status: status = 'NONE' } of pages) {
    counts[String(status)] = (counts[String(status)] ?? 0) + 1;
  }
  return counts;
}

/** All recorded runs, oldest first. */
export async function readCompactionRuns(table: Table): Promise<CompactionRun[]> {
  const runs: CompactionRun[] = [];
  const pages = query(table, {
    IndexName: 'GSI1',
    KeyConditionExpression: 'GSI1PK = :value',
    value: 'RUNS',
  });
  for await (const row of pages) runs.push(z.decode(compactionRunCodec, row as never));
  return runs;
}

interface Query {
  readonly IndexName: string;
  readonly KeyConditionExpression: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ProjectionExpression?: string;
  readonly value: string;
}

async function* query(
  table: Table,
  { value, ...input }: Query,
): AsyncGenerator<Record<string, unknown>> {
  const pages = paginateQuery(
    { client: table.client },
    {
      ...input,
      TableName: table.name,
      ExpressionAttributeValues: marshall({ ':value': value }),
    },
  );
  for await (const { Items = [] } of pages) {
    for (const item of Items) yield unmarshall(item);
  }
}
