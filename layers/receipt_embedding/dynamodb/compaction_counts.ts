import { COMPACTION_STATES } from '../entities/compaction_run.ts';
import type { Row } from '../entities/row.ts';
import { patientPages, type ReadingOptions } from './patient_query.ts';
import type { Table } from './table.ts';

type CompactionState = (typeof COMPACTION_STATES)[number];

/** A run whose lines or words the compactor could not merge. */
export interface FailedRun {
  readonly run_id: string;
  readonly image_id: string;
  readonly receipt_id: number;
  readonly created_at: string;
  readonly lines_state: string;
  readonly words_state: string;
  /** What the compactor said; null where it said nothing, or that half did not fail. */
  readonly lines_error: string | null;
  readonly words_error: string | null;
}

export interface CompactionCounts {
  readonly runs: number;
  readonly lines: Readonly<Record<CompactionState, number>>;
  readonly words: Readonly<Record<CompactionState, number>>;
  /** Runs of which lines, words or both have FAILED; one that was made again since is still among them. */
  readonly failed: number;
  /** The newest of those. */
  readonly newest_failed: readonly FailedRun[];
  /** Runs with a state that no format knows. */
  readonly invalid_rows: number;
}

export interface CompactionCounting extends ReadingOptions {
  /** How many of the failed runs are told. */
  readonly most_failed: number;
  /** Hears of every page how many runs were read so far. */
  readonly onProgress?: (runs: number) => void;
}

const ATTRIBUTES = [
  'run_id',
  'image_id',
  'receipt_id',
  'created_at',
  'lines_state',
  'words_state',
  'lines_error',
  'words_error',
] as const satisfies readonly (keyof FailedRun)[];

/** Counts the runs by what the compactor has made of their two deltas, newest first; it reads them all. */
export async function countCompactionStates(
  table: Table,
  { most_failed, onProgress, ...reading }: CompactionCounting,
): Promise<CompactionCounts> {
  const counts = { runs: 0, lines: zeroes(), words: zeroes(), failed: 0, invalid_rows: 0 };
  const newest_failed: FailedRun[] = [];
  const pages = patientPages(
    table,
    {
      IndexName: 'GSI1',
      KeyConditionExpression: 'GSI1PK = :runs',
      ProjectionExpression: ATTRIBUTES.join(', '),
      ScanIndexForward: false,
      values: { runs: 'RUNS' },
    },
    reading,
  );
  for await (const { rows } of pages) {
    for (const row of rows) {
      counts.runs++;
      const { lines_state: lines, words_state: words } = row;
      if (!isState(lines) || !isState(words)) {
        counts.invalid_rows++;
        continue;
      }
      counts.lines[lines]++;
      counts.words[words]++;
      if (lines !== 'FAILED' && words !== 'FAILED') continue;
      counts.failed++;
      if (newest_failed.length < most_failed) newest_failed.push(failedRun(row));
    }
    onProgress?.(counts.runs);
  }
  return { ...counts, newest_failed };
}

function failedRun(row: Row): FailedRun {
  const { lines_error = null, words_error = null, ...rest } = row;
  return { ...rest, lines_error, words_error } as unknown as FailedRun;
}

function isState(state: unknown): state is CompactionState {
  return (COMPACTION_STATES as readonly unknown[]).includes(state);
}

function zeroes(): Record<CompactionState, number> {
  return { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 };
}
