const MOST_NAMES = 5;

/**
 * Of some names, the most similar first, each once: by the pairs of letters that they share with the one that was asked for
 * (Dice's coefficient), whatever their case; equally similar ones in the order that they came in.
 *
 * @example
 * ```ts
 * nearestNames('sprouts', ['Corner Market', 'Sprouts Farmers Market', 'Sprouts']);
 * // ['Sprouts', 'Sprouts Farmers Market', 'Corner Market']
 * ```
 */
export function nearestNames(
  wanted: string,
  names: readonly string[],
  most = MOST_NAMES,
): string[] {
  const pairs = pairsOf(wanted);
  return [...new Set(names)]
    .map((name) => ({ name, similarity: similarity(pairs, pairsOf(name)) }))
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, most)
    .map(({ name }) => name);
}

function pairsOf(name: string): ReadonlySet<string> {
  const letters = ` ${name.toLowerCase().trim()} `;
  return new Set(Array.from({ length: letters.length - 1 }, (_, at) => letters.slice(at, at + 2)));
}

function similarity(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((pair) => b.has(pair)).length;
  return (2 * shared) / (a.size + b.size);
}
