import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from './random.ts';

describe('Random', () => {
  it('gives the same numbers for the same name, for ever', () => {
    const random = new Random('a seed');
    expect([random.int(1, 1000), random.digits(4), random.hex(8), random.uuid()]).toStrictEqual([
      14,
      '8442',
      'caaf2554',
      'e4385293-7bba-41b4-a317-6193058a135e',
    ]);
  });

  it('gives other numbers for another name', () => {
    const firsts = Array.from({ length: 2000 }, (_, i) => new Random(`seed/${i}`).hex(16));
    expect(new Set(firsts).size).toBe(2000);
  });

  it('stays within its bounds and reaches both ends of an integer range', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: -5, max: 5 }), fc.nat(4), (name, min, span) => {
        const random = new Random(name);
        const drawn = Array.from({ length: 400 }, () => random.int(min, min + span));
        expect(new Set(drawn).size).toBe(span + 1);
        expect(Math.min(...drawn)).toBe(min);
        expect(Math.max(...drawn)).toBe(min + span);
      }),
    );
  });

  it('spreads its numbers evenly', () => {
    const random = new Random('even');
    const buckets = Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const at = Math.floor(random.next() * 10);
      buckets[at] = (buckets[at] ?? 0) + 1;
    }
    for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('draws UUIDs with the bits of version 4', () => {
    const random = new Random('ids');
    for (let i = 0; i < 200; i++) {
      expect(random.uuid()).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
    }
  });

  it('refuses to pick from nothing', () => {
    expect(() => new Random('').pick([])).toThrow(RangeError);
  });
});
