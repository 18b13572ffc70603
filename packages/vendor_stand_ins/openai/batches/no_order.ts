/** The same items in an order that follows from their number alone, and that looks like none. */
export function inNoOrder<Item>(items: readonly Item[]): readonly Item[] {
  const places = items.map((item, i) => ({ item, place: scatter(i + 1) }));
  return places.sort((a, b) => a.place - b.place).map(({ item }) => item);
}

/** Multiplication by an odd number and shifts of a 32-bit number: different numbers stay different. */
function scatter(value: number): number {
  const once = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  const twice = Math.imul(once ^ (once >>> 16), 0x45d9f3b);
  return (twice ^ (twice >>> 16)) >>> 0;
}
