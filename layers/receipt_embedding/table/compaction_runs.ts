import { z } from 'zod';
import {
  type CompactionRun,
  compactionRunCodec,
  compactionRunPath,
} from '../entities/compaction_run.ts';
import { type ReceiptIdentity, rowKey } from '../entities/keys.ts';
import { putRow, queryPages, type Table } from './table.ts';

/** A recorded run, as far as it matters to whoever would make the same again. */
export interface RecordedRun {
  readonly run_id: string;
  /** The compactor could not merge one of its deltas. */
  readonly failed: boolean;
}

/**
 * The runs of a receipt whose id begins with `idBeginning`, by run id; read consistently. A run is known by its key: also
 * a record that could not be read whole stands for its run.
 *
 * @example
 * ```ts
 * await findCompactionRuns(table, { image_id, receipt_id: 1 }, '1a2b3c4d-1111-4222-8333-');
 * // [{ run_id: '1a2b3c4d-1111-4222-8333-0123456789ab', failed: false }]
 * ```
 */
export async function findCompactionRuns(
  table: Table,
  receipt: ReceiptIdentity,
  idBeginning: string,
): Promise<RecordedRun[]> {
  const { PK, SK } = rowKey(receipt.image_id, compactionRunPath(receipt, idBeginning));
  const runs: RecordedRun[] = [];
  const pages = queryPages(table, {
    KeyConditionExpression: 'PK = :image AND begins_with(SK, :run)',
    ProjectionExpression: 'SK, lines_state, words_state',
    ConsistentRead: true,
    values: { image: PK, run: SK },
  });
  for await (const { rows } of pages) {
    for (const row of rows) {
      runs.push({
        run_id: row.SK.slice(SK.length - idBeginning.length),
        failed: row['lines_state'] === 'FAILED' || row['words_state'] === 'FAILED',
      });
    }
  }
  return runs;
}

/**
 * Records a run, once: its insert starts the compactor, so it comes after both deltas.
 *
 * @returns false when the run is recorded already.
 */
export async function recordCompactionRun(table: Table, run: CompactionRun): Promise<boolean> {
  return await putRow(table, z.encode(compactionRunCodec, run), { onlyNew: true });
}
