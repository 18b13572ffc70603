import { type PrintedRow, type PrintedWord, row } from './printed_text.ts';
import type { Random } from './random.ts';

const smudges = ['|', '~~', '||', "'", '.,', '—', '_'];

/** The rows with this many noise words more: some at the end of a row, some on a row of their own. */
export function withNoise(
  rows: readonly PrintedRow[],
  noiseWords: number,
  random: Random,
): readonly PrintedRow[] {
  const result = [...rows];
  for (let i = 0; i < noiseWords; i++) {
    const noise: PrintedWord = { text: random.pick(smudges), noise: true };
    const at = random.int(0, result.length - 1);
    const beside = result[at];
    if (beside === undefined || random.chance(0.4)) result.splice(at, 0, row([noise]));
    else result[at] = { ...beside, left: [...beside.left, noise] };
  }
  return result;
}
