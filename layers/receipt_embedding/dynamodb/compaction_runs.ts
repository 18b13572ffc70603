import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { z } from 'zod';
import {
  compactionRunCodec,
  compactionRunPath,
  type CompactionRun,
} from '../entities/compaction_run.ts';
import { rowKey, type ReceiptIdentity } from '../entities/keys.ts';
import type { Logger } from '../ports/logger.ts';
import { queryPages } from './query.ts';
import { readRows } from './read_rows.ts';
import type { Table } from './table.ts';

/** The runs of a receipt whose id begins with `idBeginning`, by run id; read consistently. */
export async function findCompactionRuns(
  table: Table,
  receipt: ReceiptIdentity,
  idBeginning: string,
  logger: Logger,
): Promise<CompactionRun[]> {
  const { PK, SK } = rowKey(receipt.image_id, compactionRunPath(receipt, idBeginning));
  const runs: CompactionRun[] = [];
  const pages = queryPages(table, {
    KeyConditionExpression: 'PK = :image AND begins_with(SK, :run)',
    ConsistentRead: true,
    values: { image: PK, run: SK },
  });
  for await (const rows of pages) runs.push(...readRows(rows, compactionRunCodec, logger).entities);
  return runs;
}

/**
 * Records a run, once: its insert starts the compactor, so it comes after both deltas.
 *
 * @returns false when the run is recorded already.
 */
export async function recordCompactionRun(table: Table, run: CompactionRun): Promise<boolean> {
  try {
    await table.client.send(
      new PutItemCommand({
        TableName: table.name,
        Item: marshall(z.encode(compactionRunCodec, run)),
        ConditionExpression: 'attribute_not_exists(PK)',
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}
