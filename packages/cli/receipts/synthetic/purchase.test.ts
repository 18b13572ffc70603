import { describe, expect, it } from 'vitest';
import { formatCents, itemCents, sumsOf } from './purchase.ts';

describe('sumsOf', () => {
  const milk = { name: 'Whole Milk', quantity: 3, unitCents: 333 };
  const bread = { name: 'Sourdough Bread', quantity: 1, unitCents: 501 };

  it('adds up the items and puts the tax on their sum, rounded to the cent', () => {
    expect([milk, bread].map(itemCents)).toStrictEqual([999, 501]);
    expect(sumsOf([milk, bread], 725)).toStrictEqual({
      subtotalCents: 1500,
      taxCents: 109,
      totalCents: 1609,
    });
  });

  it('rounds once, not for each item', () => {
    const sweets = Array.from({ length: 10 }, () => ({ name: '', quantity: 1, unitCents: 6 }));
    expect(sumsOf(sweets, 725).taxCents).toBe(4);
  });

  it('is nothing for no items', () => {
    expect(sumsOf([], 725)).toStrictEqual({ subtotalCents: 0, taxCents: 0, totalCents: 0 });
  });
});

describe('formatCents', () => {
  it.each([
    [0, '0.00'],
    [5, '0.05'],
    [1234, '12.34'],
    [100_001, '1000.01'],
  ])('prints %i as %s', (cents, text) => {
    expect(formatCents(cents)).toBe(text);
  });
});
