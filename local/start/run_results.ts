import { compactionRunCodec, type CompactionRun } from 'receipt-embedding/entities';
import { queryPages, type Table } from 'receipt-embedding/table';
import { z } from 'zod';

/** Embedding status → how many. */
export type StatusCounts = Readonly<Record<string, number>>;

/** How many lines (words) have which embedding status. */
export async function countStatuses(
  table: Table,
  type: 'RECEIPT_LINE' | 'RECEIPT_WORD',
): Promise<StatusCounts> {
  const counts: Record<string, number> = {};
  const pages = queryPages(table, {
    IndexName: 'GSITYPE',
    KeyConditionExpression: '#type = :type',
    ExpressionAttributeNames: { '#type': 'TYPE' },
    ProjectionExpression: 'embedding_status',
    values: { type },
  });
  for await (const rows of pages) {
    for (const row of rows) {
      const { embedding_status: status = 'NONE' } = row as { embedding_status?: string };
      counts[status] = (counts[status] ?? 0) + 1;
    }
  }
  return counts;
}

/** All recorded runs, oldest first. */
export async function readCompactionRuns(table: Table): Promise<CompactionRun[]> {
  const runs: CompactionRun[] = [];
  const pages = queryPages(table, {
    IndexName: 'GSI1',
    KeyConditionExpression: 'GSI1PK = :runs',
    values: { runs: 'RUNS' },
  });
  for await (const rows of pages) {
    runs.push(...rows.map((row) => z.decode(compactionRunCodec, row as never)));
  }
  return runs;
}
