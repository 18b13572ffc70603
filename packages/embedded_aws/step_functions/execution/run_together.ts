/**
 * Runs `count` pieces of work, at most `concurrency` at once, and gives their results in order. The first one
 * that fails aborts the others; once all have stopped, its error is thrown.
 *
 * @param signal aborts everything.
 */
export async function runTogether<T>(
  count: number,
  concurrency: number,
  signal: AbortSignal,
  runOne: (index: number, signal: AbortSignal) => Promise<T>,
): Promise<T[]> {
  const controller = new AbortController();
  const onAbort = (): void => {
    controller.abort();
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const results = new Array<T>(count);
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count && !controller.signal.aborted) {
      const index = next;
      next += 1;
      try {
        results[index] = await runOne(index, controller.signal);
      } catch (error) {
        failures.push(error);
        controller.abort();
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker));
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  if (failures.length > 0) throw failures[0];
  return results;
}
