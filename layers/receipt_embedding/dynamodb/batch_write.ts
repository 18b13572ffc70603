import { BatchWriteItemCommand, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { RowKey } from '../entities/keys.ts';
import { RateLimited } from '../errors.ts';
import { backOff, PATIENT_ATTEMPTS, systemBackoff, type Backoff } from './backoff.ts';
import type { Table } from './table.ts';

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
