import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assortments } from './catalogue.ts';
import { compose } from './composition.ts';
import type { PrintedRow } from './printed_text.ts';
import { Random } from './random.ts';
import { shops } from './shops.ts';

const purchasedAt = new Date('2024-07-04T14:32:00Z');
const anyShop = fc.constantFrom(...shops);

interface PricedItem {
  readonly name: string;
  readonly unitPrice: string;
}

/** The items as printed: the unit price is on the row below, where there are several. */
function itemsOf(rows: readonly PrintedRow[]): PricedItem[] {
  return rows.flatMap(({ left, right }, i) => {
    const price = right.find(({ label }) => label === 'LINE_TOTAL');
    if (price === undefined) return [];
    const below = rows[i + 1]?.left.find(({ label }) => label === 'UNIT_PRICE');
    const name = left
      .filter(({ label }) => label === 'PRODUCT_NAME')
      .map(({ text }) => text)
      .join(' ');
    return [{ name, unitPrice: (below ?? price).text }];
  });
}

describe('compose', () => {
  it('writes exactly as many words as it is told, for any shop', () => {
    fc.assert(
      fc.property(anyShop, fc.integer({ min: 1, max: 400 }), fc.nat(), (shop, wordCount, seed) => {
        const rows = compose(shop, purchasedAt, wordCount, new Random(`${seed}`));
        const words = rows.flatMap(({ left, right }) => [...left, ...right]);
        expect(words).toHaveLength(wordCount);
        for (const { text } of words) expect(text).toMatch(/^\S+$/);
      }),
    );
  });

  it('has shop, date, an item and the total from 8 words on', () => {
    fc.assert(
      fc.property(anyShop, fc.integer({ min: 8, max: 60 }), fc.nat(), (shop, wordCount, seed) => {
        const rows = compose(shop, purchasedAt, wordCount, new Random(`${seed}`));
        const labels = rows.flatMap(({ left, right }) =>
          [...left, ...right].map(({ label }) => label),
        );
        for (const label of [
          'MERCHANT_NAME',
          'DATE',
          'PRODUCT_NAME',
          'LINE_TOTAL',
          'GRAND_TOTAL',
        ]) {
          expect(labels).toContain(label);
        }
      }),
    );
  });

  it('lists a product again only when nothing else fits or all are listed, at the same price', () => {
    for (const shop of shops) {
      const rows = compose(shop, purchasedAt, 600, new Random('long'));
      const items = itemsOf(rows.filter(({ left }) => left.some(({ noise }) => noise !== true)));
      const assortment = assortments[shop.assortment];
      const first = items.slice(0, assortment.length).map(({ name }) => name);
      expect(first.toSorted()).toStrictEqual(assortment.map(({ name }) => name).toSorted());
      expect(items.length).toBeGreaterThan(assortment.length);
      const prices = new Set(items.map(({ name, unitPrice }) => `${name} ${unitPrice}`));
      expect(prices.size).toBe(assortment.length);
      for (const { name, unitPrice } of items) {
        const product = assortment.find((known) => known.name === name);
        const cents = Math.round(Number(unitPrice) * 100);
        expect(cents).toBeGreaterThanOrEqual(product?.minCents ?? Infinity);
        expect(cents).toBeLessThanOrEqual(product?.maxCents ?? -Infinity);
      }
    }
  });

  it('prints the time of the purchase', () => {
    const printed = Array.from({ length: 20 }, (_, i) =>
      compose(shops[0] ?? expect.fail(), purchasedAt, 60, new Random(`${i}`)),
    );
    const times = printed.flatMap((rows) =>
      rows.flatMap(({ right }) => right.filter(({ label }) => label === 'TIME')),
    );
    expect(new Set(times.map(({ text }) => text))).toStrictEqual(new Set(['14:32']));
    const dates = printed.flatMap((rows) =>
      rows.flatMap(({ left }) => left.filter(({ label }) => label === 'DATE')),
    );
    expect(new Set(dates.map(({ text }) => text))).toStrictEqual(
      new Set(['07/04/2024', '2024-07-04', '07/04/24']),
    );
  });
});
