import {
  type Difference,
  type DifferenceKind,
  DIFFERENCES,
} from 'receipt-embedding/verification/compare_receipt';
import { columns, count, quantity } from '../command_line/text.ts';
import type { ListedCounts } from './verified_receipts.ts';

/** Keys that are shown of each kind. */
const KEYS_SHOWN = 5;

/** What was found, by kind; memory does not grow with it. */
export class Findings {
  readonly #kinds = new Map<DifferenceKind, { count: number; first: Difference[] }>();

  add({ differences }: { readonly differences: readonly Difference[] }): void {
    for (const difference of differences) {
      const told = this.#kinds.get(difference.kind) ?? { count: 0, first: [] };
      told.count++;
      if (told.first.length < KEYS_SHOWN) told.first.push(difference);
      this.#kinds.set(difference.kind, told);
    }
  }

  /** What differs, all that is for information alone left out. */
  get total(): number {
    let total = 0;
    for (const [kind, told] of this.#kinds) if (!isInformation(kind)) total += told.count;
    return total;
  }

  /** What `--json` prints. */
  get data(): FoundKind[] {
    return (Object.keys(DIFFERENCES) as DifferenceKind[]).flatMap((kind) => {
      const told = this.#kinds.get(kind);
      return told === undefined ? [] : [{ kind, ...told }];
    });
  }
}

export interface FoundKind {
  readonly kind: DifferenceKind;
  readonly count: number;
  readonly first: readonly Difference[];
}

/** Of a receipt: whether anything is to be repaired. */
export function isInformation(kind: DifferenceKind): boolean {
  return kind === 'failed_without_reason';
}

/** What was compared, and how it came out. */
export interface VerifyCounts extends ListedCounts {
  compared: number;
  /** Receipts that somebody was writing all the time. */
  busy: number;
  /** Receipts of which something is to be repaired. */
  differing: number;
}

export function comparedLine(counts: VerifyCounts, seed: string | undefined): string {
  const { compared, receipts, gone, unknown_deltas: unknown, busy, invalid } = counts;
  const parts = [
    `${quantity(receipts, 'receipt')} in the table`,
    ...(gone === 0 ? [] : [`${count(gone)} gone from it`]),
    ...(unknown === 0 ? [] : [`${quantity(unknown, 'delta')} of unknown receipts`]),
    ...(busy === 0 ? [] : [`${count(busy)} being written`]),
    ...(invalid === 0 ? [] : [`${quantity(invalid, 'row')} not readable`]),
  ];
  const chosen = seed === undefined ? '' : `, at random (--seed ${seed})`;
  return `Compared ${quantity(compared, 'receipt')}${chosen}: ${parts.join(', ')}.`;
}

export function findingLines(kinds: readonly FoundKind[]): string[] {
  if (kinds.length === 0) return ['Nothing differs.'];
  const table = columns(kinds.map(({ kind, count: of }) => [kind, count(of)]));
  return kinds.flatMap(({ kind, count: of, first }, at) => [
    `${table[at] ?? ''}  ${DIFFERENCES[kind]}`,
    ...first.map(({ key, store }) => `    ${key}${store === undefined ? '' : ` in ${store}`}`),
    ...(of > first.length ? [`    … and ${count(of - first.length)} more`] : []),
  ]);
}
