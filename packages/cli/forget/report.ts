import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import { count, quantity } from '../command_line/text.ts';
import type { Erased } from './erase.ts';
import type { Holdings } from './holdings.ts';

/** What is held, in numbers: what `--json` prints as `held`. */
export interface HeldCounts {
  readonly stores: readonly {
    readonly name: string;
    readonly identity: string;
    readonly lines: number;
    readonly words: number;
    /** The store has more than it lists at a time. */
    readonly more: boolean;
  }[];
  /** Ids that every store is told to remove, whatever it lists. */
  readonly known_ids: number;
  readonly deltas: number;
  readonly old_delta_versions: number;
  readonly compaction_runs: number;
  readonly results: number;
  readonly batches: readonly string[];
  readonly batch_file_bytes: number;
  readonly record: boolean;
  readonly unreachable_stores: readonly string[];
  readonly rows_remain: boolean;
}

export function countsOf(holdings: Holdings): HeldCounts {
  const { record, rows_remain, ids, stores, deltas, batches, unreachable_stores } = holdings;
  const current = deltas.filter(({ latest, marker }) => latest && !marker).length;
  const files = batches.flatMap((batch) => batch.files);
  return {
    stores,
    known_ids: ids.lines.size + ids.words.size,
    deltas: current,
    old_delta_versions: deltas.length - current,
    compaction_runs: holdings.compaction_runs.length,
    results: holdings.results.length,
    batches: batches.filter((batch) => batch.files.length > 0).map(({ batch_id }) => batch_id),
    batch_file_bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    record: record !== undefined,
    unreachable_stores,
    rows_remain,
  };
}

/** What is held, for people. */
export function heldLines(held: HeldCounts): string[] {
  const { stores, deltas, old_delta_versions: old, batches, batch_file_bytes: bytes } = held;
  const megabytes = (bytes / 1_000_000).toFixed(1);
  return [
    'Held of it:',
    ...laidOut([
      ...stores.map(
        ({ name, lines, words, more }) =>
          [
            `vectors in ${name}`,
            `${more ? 'at least ' : ''}${count(lines)} of lines, ${count(words)} of words`,
          ] as const,
      ),
      ['deltas', `${count(deltas)}${old === 0 ? '' : `, and ${quantity(old, 'old version')}`}`],
      ['files of batches', batches.length === 0 ? '0' : filesOf(batches.length, megabytes)],
      ['EMBEDDING_BATCH_RESULT rows', count(held.results)],
      ['COMPACTION_RUN rows', count(held.compaction_runs)],
      ['record', held.record ? '1' : '0'],
    ]),
    ...stores.map(({ name, identity }) => `  ${name} is ${identity}`),
    ...(held.unreachable_stores.length === 0
      ? []
      : [
          'Out of reach: the record names stores that the stack does not have any more. Vectors in them stay until you delete them there:',
          ...held.unreachable_stores.map((identity) => `  ${identity}`),
        ]),
  ];
}

function laidOut(rows: readonly (readonly [what: string, held: string])[]): string[] {
  const width = Math.max(...rows.map(([what]) => what.length));
  return rows.map(([what, of]) => `  ${what.padEnd(width)}  ${of}`);
}

function filesOf(batches: number, megabytes: string): string {
  return `${quantity(batches, 'batch', 'batches')} to look through, ${megabytes} MB`;
}

/** What was removed, and what to know of what stays. */
export function erasedLines(
  { image_id, receipt_id }: ReceiptIdentity,
  erased: Erased,
  held: HeldCounts,
): string[] {
  const { batch_files: files, delta_versions, results, compaction_runs } = erased;
  return [
    `Removed: ${quantity(delta_versions, 'version')} of deltas, ${quantity(files.lines, 'line')} of batch files (${quantity(files.rewritten, 'file')} rewritten, ${files.deleted} deleted), ${quantity(results, 'result')}, ${quantity(compaction_runs, 'COMPACTION_RUN row')}${erased.record ? ', the record' : ''}; and its vectors from ${quantity(held.stores.length, 'store')}.`,
    ...(compaction_runs === 0
      ? []
      : [
          `A compactor of your own may have merged it: delete there what has image_id ${image_id} and receipt_id "${receipt_id}" in both collections.`,
        ]),
    ...(held.rows_remain
      ? [
          "The receipt's own rows are yours, and are still in the table: the next run embeds it again, unless you delete them.",
        ]
      : []),
    'What else may have it: docs/operations.md, "Forget a receipt".',
  ];
}
