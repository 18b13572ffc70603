/** These values one after the other, each of them later. */
export async function* yielding<Value>(values: Iterable<Value>): AsyncGenerator<Value> {
  for (const value of values) {
    await Promise.resolve();
    yield value;
  }
}
