/** A number for people: 1,234. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** A number of things for people: 1 batch, 2 batches. */
export function quantity(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
