import { type BatchSummary, batchSummaryCodec } from 'receipt-embedding/entities/batch';
import { type CompactionRun, compactionRunCodec } from 'receipt-embedding/entities/compaction_run';
import { receiptsWithStatus, SHARDS } from 'receipt-embedding/table/receipt_listing';
import { queryPages, type Table } from 'receipt-embedding/table/table';
import { z } from 'zod';

/** Embedding status → how many. */
export type StatusCounts = Readonly<Record<string, number>>;

/** How many lines (words) have which embedding status. */
async function countStatuses(
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
  for await (const { rows } of pages) {
    for (const row of rows) {
      const { embedding_status: status = 'NONE' } = row as { embedding_status?: string };
      counts[status] = (counts[status] ?? 0) + 1;
    }
  }
  return counts;
}

export interface AllStatuses {
  readonly lines: StatusCounts;
  readonly words: StatusCounts;
}

export async function countAllStatuses(table: Table): Promise<AllStatuses> {
  return {
    lines: await countStatuses(table, 'RECEIPT_LINE'),
    words: await countStatuses(table, 'RECEIPT_WORD'),
  };
}

/** How many receipts have a line or word that waits to be embedded. */
export async function countReceiptsToEmbed(table: Table): Promise<number> {
  const listing = {
    table,
    status: 'NONE',
    after: undefined,
    invalid: { count: 0 },
    logger: { info: ignore, warn: ignore },
  } as const;
  let receipts = 0;
  for (const shard of SHARDS) {
    const found = receiptsWithStatus(listing, shard);
    while ((await found.next()).done !== true) receipts++;
  }
  return receipts;
}

// The functions log what they skip.
function ignore(): void {
  return undefined;
}

/** All batches, in the order of their submission. */
export async function readBatchSummaries(table: Table): Promise<BatchSummary[]> {
  const batches: BatchSummary[] = [];
  const pages = queryPages(table, {
    IndexName: 'GSITYPE',
    KeyConditionExpression: '#type = :type',
    ExpressionAttributeNames: { '#type': 'TYPE' },
    values: { type: 'BATCH_SUMMARY' },
  });
  for await (const { rows } of pages) {
    batches.push(...rows.map((row) => z.decode(batchSummaryCodec, row as never)));
  }
  return batches.sort((a, b) => (a.submitted_at < b.submitted_at ? -1 : 1));
}

/** All recorded runs, oldest first. */
export async function readCompactionRuns(table: Table): Promise<CompactionRun[]> {
  const runs: CompactionRun[] = [];
  const pages = queryPages(table, {
    IndexName: 'GSI1',
    KeyConditionExpression: 'GSI1PK = :runs',
    values: { runs: 'RUNS' },
  });
  for await (const { rows } of pages) {
    runs.push(...rows.map((row) => z.decode(compactionRunCodec, row as never)));
  }
  return runs;
}
