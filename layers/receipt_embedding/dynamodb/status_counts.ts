import pMap from 'p-map';
import {
  EMBEDDING_STATUSES,
  embeddingStatusKey,
  type EmbeddingStatus,
} from '../entities/embedding_status.ts';
import { patientPages, type ReadingOptions } from './patient_query.ts';
import type { QueryInput } from './query.ts';
import { SHARDS } from './status_listing.ts';
import type { Table } from './table.ts';

/** How many lines and words have which status. */
export type StatusCounts = Readonly<
  Record<'lines' | 'words', Readonly<Record<EmbeddingStatus, number>>>
>;

export interface CountingProgress {
  /** Lines and words so far. */
  readonly counted: number;
  /** Parts of the index that are counted, of all. */
  readonly parts: number;
  readonly all_parts: number;
}

export interface CountingOptions extends ReadingOptions {
  /** Hears of every page. */
  readonly onProgress?: (progress: CountingProgress) => void;
}

/** Half the connections that an AWS client keeps would be 25; others want some of the table too. */
const PARTS_AT_ONCE = 16;

/** What the sort keys begin with; rows of old have no prefix (docs/data_model.md §1). */
const PREFIXES = ['LINE#', 'WORD#', ''] as const;

interface Part {
  readonly status: EmbeddingStatus;
  readonly prefix: (typeof PREFIXES)[number];
  readonly shard: string;
}

/**
 * Counts all lines and words by their status, as the index GSI1 has them: a few numbers come back, but DynamoDB reads the index whole,
 * and that is what it costs. A row that changes its status meanwhile may be counted twice or not at all.
 */
export async function countEmbeddingStatuses(
  table: Table,
  { onProgress, ...reading }: CountingOptions = {},
): Promise<StatusCounts> {
  const counts = { lines: zeroes(), words: zeroes() };
  const parts = EMBEDDING_STATUSES.flatMap((status) =>
    PREFIXES.flatMap((prefix) => SHARDS.map((shard): Part => ({ status, prefix, shard }))),
  );
  const progress = { counted: 0, parts: 0, all_parts: parts.length };
  await pMap(
    parts,
    async (part) => {
      for await (const { count, rows } of patientPages(table, queryOf(part), reading)) {
        const lines =
          part.prefix === ''
            ? rows.filter((row) => row['TYPE'] === 'RECEIPT_LINE').length
            : part.prefix === 'LINE#'
              ? count
              : 0;
        counts.lines[part.status] += lines;
        counts.words[part.status] += count - lines;
        progress.counted += count;
        onProgress?.(progress);
      }
      progress.parts++;
      onProgress?.(progress);
    },
    { concurrency: PARTS_AT_ONCE },
  );
  return counts;
}

function queryOf({ status, prefix, shard }: Part): QueryInput {
  const start = `${prefix}IMAGE#${shard}`;
  const query: QueryInput = {
    IndexName: 'GSI1',
    KeyConditionExpression: 'GSI1PK = :status AND GSI1SK BETWEEN :start AND :end',
    values: { status: embeddingStatusKey(status), start, end: `${start}~` },
  };
  // Only its TYPE tells a line of old from a word of old.
  return prefix === ''
    ? {
        ...query,
        ProjectionExpression: '#type',
        ExpressionAttributeNames: { '#type': 'TYPE' },
      }
    : { ...query, Select: 'COUNT' };
}

function zeroes(): Record<EmbeddingStatus, number> {
  return { NONE: 0, PENDING: 0, SUCCESS: 0, FAILED: 0, NOISE: 0 };
}
