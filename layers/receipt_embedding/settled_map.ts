import { pMapIterable } from 'p-map';

interface Bounds {
  /** Pieces of work at a time. */
  readonly atOnce: number;
  /** Results that may wait to be taken, those under way included. @default `atOnce` */
  readonly ahead?: number;
}

/**
 * Does `work` for each item, some at a time. A function that ends leaves nothing running: when one fails, no further one is begun, and
 * those under way are waited for before the error is thrown.
 *
 * @returns the results in the items' order.
 * @throws what the first one to fail failed with, or what the items' source throws.
 * @example
 * ```ts
 * await mapSettled(keys, (key) => updateRow(table, key, update), { atOnce: 25 });
 * ```
 */
export async function mapSettled<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item, index: number) => Promise<Result>,
  { atOnce }: Pick<Bounds, 'atOnce'>,
): Promise<Result[]> {
  const iterator: Iterator<Item, unknown> = items[Symbol.iterator]();
  const results: Result[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    try {
      while (failures.length === 0) {
        const { done, value } = iterator.next();
        if (done === true) return;
        const index = next++;
        results[index] = await work(value, index);
      }
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failures.length === 0) return results;
  iterator.return?.();
  throw failures[0];
}

/** The same one after the other, for more items than fit in memory. Whoever stops early stops the work, and waits for what is under way. */
export async function* iterateSettled<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  work: (item: Item, index: number) => Promise<Result>,
  { atOnce, ahead = atOnce }: Bounds,
): AsyncGenerator<Result> {
  const underWay = new Set<Promise<unknown>>();
  let ended = false;
  const tracked = async (item: Item, index: number): Promise<Result> => {
    // Nobody waits for this one any more.
    if (ended) throw new Error('an earlier item failed');
    const piece = work(item, index);
    underWay.add(piece);
    try {
      return await piece;
    } catch (error) {
      ended = true;
      throw error;
    } finally {
      underWay.delete(piece);
    }
  };
  const results = pMapIterable(
    items,
    async (item: Item, index) => [await tracked(item, index)] as const,
    {
      concurrency: atOnce,
      backpressure: ahead,
    },
  );
  try {
    for await (const [result] of results) yield result;
  } finally {
    ended = true;
    await Promise.allSettled(underWay);
  }
}

/**
 * Waits for all of some works that were begun together, and only then throws what one of them failed with.
 *
 * @example
 * ```ts
 * const [lines, words] = await allSettled([readLines(), readWords()]);
 * ```
 */
export async function allSettled<const Works extends readonly Promise<unknown>[]>(
  works: Works,
): Promise<{ -readonly [At in keyof Works]: Awaited<Works[At]> }> {
  await Promise.allSettled(works);
  return await Promise.all(works);
}
