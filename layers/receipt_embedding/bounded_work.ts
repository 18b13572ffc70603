import pMap, { pMapIterable } from 'p-map';

/**
 * Does the same work for many items, some at a time. Once one fails no further one is begun, and those under way are waited
 * for: a function that ends leaves nothing running.
 *
 * @returns the results, in the order of the items.
 * @throws what the first to fail threw, after all that had begun have ended.
 * @example
 * ```ts
 * await workOn(['a', 'b'], (key) => releaseClaim(table, key, owner), 25); // ['settled', 'elsewhere']
 * ```
 */
export async function workOn<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item, at: number) => Promise<Result>,
  concurrency: number,
): Promise<Result[]> {
  const failures: unknown[] = [];
  const results = await pMap(
    items,
    async (item, at) => {
      if (failures.length > 0) return undefined;
      try {
        return await work(item, at);
      } catch (error) {
        failures.push(error);
        return undefined;
      }
    },
    { concurrency },
  );
  if (failures.length > 0) throw failures[0];
  return results as Result[];
}

/**
 * The same for items that come one after the other, and results that are taken as they are: in order, and few in memory. Who
 * stops taking them waits for what is under way.
 *
 * @throws what the first to fail threw, after all that had begun have ended.
 */
export async function* workOnStream<Item, Result>(
  items: AsyncIterable<Item>,
  work: (item: Item) => Promise<Result>,
  limits: { readonly concurrency: number; readonly backpressure: number },
): AsyncGenerator<Result> {
  const underWay = new Set<Promise<unknown>>();
  let stopped = false;
  const begin = async (item: Item): Promise<Result> => {
    // Whoever takes the results has ended, or is about to learn of the failure.
    if (stopped) return undefined as Result;
    const begun = work(item);
    underWay.add(begun);
    try {
      return await begun;
    } catch (error) {
      stopped = true;
      throw error;
    } finally {
      underWay.delete(begun);
    }
  };
  try {
    yield* pMapIterable(items, begin, limits) as AsyncIterable<Result>;
  } finally {
    stopped = true;
    await Promise.allSettled(underWay);
  }
}
