import {
  batchStatusKey,
  batchTypeKey,
  ENDED_BATCH_STATUSES,
  STORED_BATCH_TYPES,
  type BatchSummary,
  type BatchType,
  type EndedBatchStatus,
} from '../entities/batch_summary.ts';
import type { Logger } from '../ports/logger.ts';
import { readActiveBatches } from './batch_listing.ts';
import { patientPages, type ReadingOptions } from './patient_query.ts';
import type { Table } from './table.ts';

export interface BatchCounts {
  /** Every batch that has not ended, in no particular order; their `receipt_refs` are not read. */
  readonly active: readonly BatchSummary[];
  /** How many have ended, and how. */
  readonly ended: Readonly<Record<EndedBatchStatus, Readonly<Record<BatchType, number>>>>;
  /** Batches that have not ended whose rows could not be read, and were logged. */
  readonly invalid_rows: number;
}

/** Reads the batches that have not ended, and counts those that have. */
export async function countBatches(
  table: Table,
  logger: Logger,
  reading: ReadingOptions = {},
): Promise<BatchCounts> {
  const { batches, invalid_rows } = await readActiveBatches(table, logger, [
    'submitted_by',
    'last_error',
    'claimed_by',
    'claim_expires_at',
  ]);
  const ended = Object.fromEntries(
    ENDED_BATCH_STATUSES.map((status) => [status, { WORD_EMBEDDING: 0, LINE_EMBEDDING: 0 }]),
  ) as Record<EndedBatchStatus, Record<BatchType, number>>;
  for (const status of ENDED_BATCH_STATUSES) {
    for (const type of STORED_BATCH_TYPES) {
      const pages = patientPages(
        table,
        {
          IndexName: 'GSI1',
          Select: 'COUNT',
          KeyConditionExpression: 'GSI1PK = :status AND begins_with(GSI1SK, :type)',
          values: { status: batchStatusKey(status), type: batchTypeKey(type) },
        },
        reading,
      );
      for await (const { count } of pages) {
        ended[status][type === 'LINE_EMBEDDING' ? type : 'WORD_EMBEDDING'] += count;
      }
    }
  }
  return { active: batches, ended, invalid_rows };
}
