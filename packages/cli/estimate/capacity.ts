import type { EmbeddingStatus } from 'receipt-embedding/entities/line_and_word';
import { rowBytes } from './row_size.ts';

/** Write request units for a row of so many bytes: one for each 1 KB, begun ones too. */
export function writeUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 1_024));
}

/** Read request units for what one query reads: one for each 4 KB, half of that where it is eventually consistent. */
export function readUnits(bytes: number, consistency: 'eventual' | 'strong' = 'eventual'): number {
  return Math.max(1, Math.ceil(bytes / 4_096)) * (consistency === 'strong' ? 1 : 0.5);
}

/** The table's indexes, by their hashes; each has a copy of every row that has its hash (components/receipt_table.ts). */
const INDEX_HASHES = ['GSI1PK', 'GSI2PK', 'GSI3PK', 'TYPE'];

/** A row, as far as it matters to what writing it costs. */
export interface MeasuredRow {
  readonly bytes: number;
  /** In how many indexes it is. */
  readonly copies: number;
}

/** @param row as its codec gives it. */
export function measureRow(row: Readonly<Record<string, unknown>>): MeasuredRow {
  return {
    bytes: rowBytes(row),
    copies: INDEX_HASHES.filter((hash) => row[hash] !== undefined).length,
  };
}

/** Write request units of a new row, its copies included. */
export function insertUnits({ bytes, copies }: MeasuredRow): number {
  return writeUnits(bytes) * (1 + copies);
}

/** The attribute that says which batch has claimed a line or word: its name, and a UUID. */
const CLAIM_BYTES = 'embedding_batch_id'.length + 36;

/** How many bytes a row has with another status, which is in it twice: as itself and as the hash of GSI1. */
function bytesWith({ bytes }: MeasuredRow, from: EmbeddingStatus, to: EmbeddingStatus): number {
  // PENDING and claimed are one here: only batches claim.
  return bytes + 2 * (to.length - from.length) + (to === 'PENDING' ? CLAIM_BYTES : 0);
}

/**
 * Write request units of changing the status of a line or word: the row and its copies, each by the larger of its sizes before
 * and after. In GSI1 the copy goes from one place to another, which is two writes.
 *
 * @param row as it is with the status `measured`, claimed by nobody.
 */
export function statusChangeUnits(
  row: MeasuredRow,
  measured: EmbeddingStatus,
  from: EmbeddingStatus,
  to: EmbeddingStatus,
): number {
  const before = writeUnits(bytesWith(row, measured, from));
  const after = writeUnits(bytesWith(row, measured, to));
  return Math.max(before, after) * row.copies + before + after;
}
