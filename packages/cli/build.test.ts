import { describe, expect, it } from 'vitest';
import { zipSize } from './build.ts';

const files = (...entries: [string, string][]): ReadonlyMap<string, Uint8Array> =>
  new Map(entries.map(([path, content]) => [path, Buffer.from(content)]));

/** 30 + 16 + 46 bytes of headers. */
const HEADERS = 92;

describe('the size of a zip', () => {
  it('of nothing is that of an empty archive', () => {
    expect(zipSize(files())).toBe(22);
  });

  it('has two headers, a descriptor and the name twice for each file', () => {
    // Nothing, deflated, takes two bytes.
    expect(zipSize(files(['ab', '']))).toBe(22 + HEADERS + 4 + 2);
    expect(zipSize(files(['ab', ''], ['c', '']))).toBe(22 + 2 * HEADERS + 6 + 4);
  });

  it('counts names in bytes', () => {
    expect(zipSize(files(['ä', '']))).toBe(zipSize(files(['ab', ''])));
  });

  it('counts content as it is deflated', () => {
    const repeated = zipSize(files(['a', 'x'.repeat(100_000)]));
    expect(repeated).toBeLessThan(1_000);
    expect(repeated).toBeGreaterThan(zipSize(files(['a', 'x'])));
  });
});
