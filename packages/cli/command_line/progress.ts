import type { ItemCounts } from './map_progress.ts';

const BAR_WIDTH = 30;

/** A bar and its text. */
export function progressLine(
  { total, done }: Pick<ItemCounts, 'total' | 'done'>,
  text: string,
): string {
  const filled = Math.floor((BAR_WIDTH * done) / total);
  return `  [${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}] ${text}`;
}
