import * as fc from 'fast-check';
import {
  receiptLineSchema,
  receiptWordLabelSchema,
  receiptWordSchema,
  VALIDATION_STATUSES,
} from 'receipt-embedding/entities/line_and_word';
import { centroid, receiptMetadataSchema, receiptSchema } from 'receipt-embedding/entities/receipt';
import { describe, expect, it } from 'vitest';
import { assortments, shops } from './catalogue.ts';
import { compose, type PrintedRow } from './composition.ts';
import { Random } from './random.ts';
import { type SyntheticReceipt, syntheticReceipts } from './synthetic_receipts.ts';

const fifty = [...syntheticReceipts({ count: 50, seed: 1 })];
const twoHundred = [...syntheticReceipts({ count: 200, seed: 'many' })];

/** The cents of `12.34` or `$12.34`. */
const cents = (price: string): number => Math.round(Number(price.replace('$', '')) * 100);

/** The texts of a receipt's words in reading order, without noise. */
function textsOf({ words }: SyntheticReceipt): string[] {
  return words.filter(({ is_noise }) => !is_noise).map(({ text }) => text);
}

function after(texts: readonly string[], heading: string): number | undefined {
  const at = texts.indexOf(heading);
  return at < 0 ? undefined : cents(texts[at + 1] ?? '');
}

describe('syntheticReceipts', () => {
  it('makes the same receipts from the same seed, and others from another', () => {
    expect([...syntheticReceipts({ count: 50, seed: 1 })]).toStrictEqual(fifty);
    const others = [...syntheticReceipts({ count: 50, seed: 2 })];
    expect(others.map(textsOf)).not.toStrictEqual(fifty.map(textsOf));
  });

  it('only adds receipts when more are asked for', () => {
    expect([...syntheticReceipts({ count: 20, seed: 1 })]).toStrictEqual(fifty.slice(0, 20));
  });

  it('makes them one at a time', () => {
    const endless = syntheticReceipts({ count: Infinity, seed: 1 });
    const { value } = endless.next();
    expect(value).toStrictEqual(fifty[0]);
  });

  it('makes entities that are valid and carry nothing else', () => {
    for (const { receipt, lines, words, labels, metadata } of fifty) {
      expect(receiptSchema.parse(receipt)).toStrictEqual(receipt);
      for (const line of lines) expect(receiptLineSchema.parse(line)).toStrictEqual(line);
      for (const word of words) expect(receiptWordSchema.parse(word)).toStrictEqual(word);
      for (const label of labels) expect(receiptWordLabelSchema.parse(label)).toStrictEqual(label);
      if (metadata) expect(receiptMetadataSchema.parse(metadata)).toStrictEqual(metadata);
    }
  });

  it('gives every receipt, line, word and label an id of its own, and its receipt’s', () => {
    const receipts = twoHundred.map(({ receipt }) => receipt.image_id);
    expect(new Set(receipts).size).toBe(200);
    for (const { receipt, lines, words, labels, metadata } of twoHundred) {
      const { image_id, receipt_id } = receipt;
      for (const part of [...lines, ...words, ...labels, ...(metadata ? [metadata] : [])]) {
        expect(part).toMatchObject({ image_id, receipt_id });
      }
      expect(lines.map(({ line_id }) => line_id)).toStrictEqual(lines.map((_, i) => i + 1));
      const wordKeys = words.map(({ line_id, word_id }) => `${line_id}/${word_id}`);
      expect(new Set(wordKeys).size).toBe(words.length);
      const labelKeys = labels.map(
        ({ line_id, word_id, label }) => `${line_id}/${word_id}/${label}`,
      );
      expect(new Set(labelKeys).size).toBe(labels.length);
      for (const { line_id, word_id } of labels)
        expect(wordKeys).toContain(`${line_id}/${word_id}`);
    }
  });

  it('writes each line as the words that it has', () => {
    for (const { lines, words } of fifty) {
      for (const line of lines) {
        const own = words.filter(({ line_id }) => line_id === line.line_id);
        expect(own.map(({ word_id }) => word_id)).toStrictEqual(own.map((_, i) => i + 1));
        expect(own.map(({ text }) => text).join(' ')).toBe(line.text);
      }
    }
  });
});

describe('the number of words', () => {
  it('is 8 to 300, and short for most', () => {
    const counts = twoHundred.map(({ words }) => words.length).sort((a, b) => a - b);
    expect(counts[0]).toBeGreaterThanOrEqual(8);
    expect(counts[0]).toBeLessThan(12);
    expect(counts.at(-1)).toBeLessThanOrEqual(300);
    expect(counts.at(-1)).toBeGreaterThan(250);
    expect(counts[100]).toBeLessThan(100);
  });

  it.each([1, 2, 3, 5, 8, 11, 12, 13, 60, 300, 3000])('is %i where that is asked for', (words) => {
    const counts = [...syntheticReceipts({ count: 20, seed: 7, words })].map(
      (receipt) => receipt.words.length,
    );
    expect(counts).toStrictEqual(Array<number>(20).fill(words));
  });

  it.each([0, -1, 1.5, NaN])('cannot be %d', (words) => {
    expect(() => [...syntheticReceipts({ count: 1, seed: 1, words })]).toThrow(RangeError);
  });
});

describe('what is printed', () => {
  it('adds up to the cent', () => {
    let broken = 0;
    let taxed = 0;
    for (const receipt of twoHundred) {
      const texts = textsOf(receipt);
      const total = after(texts, 'TOTAL');
      const subtotal = after(texts, 'SUBTOTAL');
      const end = texts.indexOf(subtotal === undefined ? 'TOTAL' : 'SUBTOTAL');
      const items = texts
        .slice(0, end)
        .filter((text, i) => /^\d+\.\d\d$/.test(text) && texts[i - 1] !== '@')
        .reduce((sum, price) => sum + cents(price), 0);
      expect(items).toBeGreaterThan(0);
      if (subtotal === undefined) {
        expect(total).toBe(items);
        broken += 1;
      } else {
        const tax = after(texts, 'TAX') ?? NaN;
        expect([subtotal, subtotal + tax]).toStrictEqual([items, total]);
        if (tax > 0) taxed += 1;
      }
    }
    expect(broken).toBeGreaterThan(0);
    expect(taxed).toBeGreaterThan(100);
  });

  it('says how many there are of an item, and at which price', () => {
    let details = 0;
    for (const receipt of fifty) {
      const texts = textsOf(receipt);
      for (const [i, text] of texts.entries()) {
        if (text !== '@') continue;
        const quantity = Number(texts[i - 1]);
        const unitCents = cents(texts[i + 1] ?? '');
        expect(cents(texts[i - 2] ?? '')).toBe(quantity * unitCents);
        expect(quantity).toBeGreaterThanOrEqual(2);
        details += 1;
      }
    }
    expect(details).toBeGreaterThan(50);
  });

  it('gives each shop the same address and phone number on all its receipts', () => {
    const shops = new Map<string, { receipts: number; facts: Set<string> }>();
    for (const { lines, words } of twoHundred) {
      const name = lines.find(({ is_noise }) => !is_noise)?.text.replace(/ \W+$/, '') ?? '';
      const shop = shops.get(name) ?? { receipts: 0, facts: new Set() };
      shop.receipts += 1;
      for (const { extracted_data: data } of words) {
        if (data && data.type !== 'date') shop.facts.add(`${data.type} ${data.value}`);
      }
      shops.set(name, shop);
    }
    expect(shops.size).toBe(8);
    for (const { receipts, facts } of shops.values()) {
      expect(receipts).toBeGreaterThan(1);
      expect([...facts].map((fact) => fact.split(' ')[0]).sort()).toStrictEqual([
        'address',
        'phone',
        'url',
      ]);
    }
  });

  it('uses phone numbers and web addresses that are kept for fiction', () => {
    const values = twoHundred.flatMap(({ words }) =>
      words.flatMap(({ extracted_data: data }) => (data ? [data] : [])),
    );
    for (const { type, value } of values) {
      if (type === 'phone') expect(value).toMatch(/555[-.]01\d\d$/);
      if (type === 'url') expect(value).toMatch(/\.example(\/|$)/);
    }
  });

  it('carries extracted data of every type within 50 receipts', () => {
    const types = fifty.flatMap(({ words }) => words.map((word) => word.extracted_data?.type));
    expect(new Set(types)).toStrictEqual(new Set([undefined, 'address', 'date', 'phone', 'url']));
  });

  it('has smudges that are noise, beside words and on lines of their own', () => {
    const lines = fifty.flatMap((receipt) => receipt.lines);
    const words = fifty.flatMap((receipt) => receipt.words);
    for (const part of [...lines, ...words]) {
      expect(part.embedding_status).toBe(part.is_noise ? 'NOISE' : 'NONE');
    }
    for (const { lines: own, words: all } of fifty) {
      for (const { line_id, is_noise } of own) {
        const ofLine = all.filter((word) => word.line_id === line_id);
        expect(ofLine.every((word) => word.is_noise)).toBe(is_noise);
      }
    }
    const noiseLines = lines.filter(({ is_noise }) => is_noise).length;
    const noiseWords = words.filter(({ is_noise }) => is_noise).length;
    expect(noiseLines).toBeGreaterThan(5);
    expect(noiseWords).toBeGreaterThan(noiseLines);
    expect(noiseWords).toBeLessThan(words.length / 10);
  });
});

describe('labels and metadata', () => {
  it('are there in every validation status within 50 receipts', () => {
    const labels = fifty.flatMap((receipt) => receipt.labels);
    expect(new Set(labels.map((label) => label.validation_status))).toStrictEqual(
      new Set(VALIDATION_STATUSES),
    );
  });

  it('hold one wrong guess at most for a word, and call it invalid', () => {
    const byWord = Map.groupBy(
      fifty.flatMap((receipt) => receipt.labels),
      ({ image_id, line_id, word_id }) => `${image_id}/${line_id}/${word_id}`,
    );
    const several = [...byWord.values()].filter((labels) => labels.length > 1);
    expect(several.length).toBeGreaterThan(10);
    for (const labels of several) {
      expect(labels).toHaveLength(2);
      expect(labels[1]?.validation_status).toBe('INVALID');
    }
  });

  it('name what a receipt consists of', () => {
    const names = new Set(fifty.flatMap(({ labels }) => labels.map(({ label }) => label)));
    for (const name of [
      'MERCHANT_NAME',
      'ADDRESS_LINE',
      'PHONE_NUMBER',
      'WEBSITE',
      'DATE',
      'TIME',
      'PRODUCT_NAME',
      'QUANTITY',
      'UNIT_PRICE',
      'LINE_TOTAL',
      'SUBTOTAL',
      'TAX',
      'GRAND_TOTAL',
      'PAYMENT_METHOD',
    ]) {
      expect(names).toContain(name);
    }
  });

  it('are missing from some receipts', () => {
    expect(fifty.some(({ labels }) => labels.length === 0)).toBe(true);
    const withMetadata = fifty.filter(({ metadata }) => metadata !== undefined).length;
    expect(withMetadata).toBeGreaterThan(15);
    expect(withMetadata).toBeLessThan(45);
  });

  it('give the merchant with and without a canonical name', () => {
    const names = fifty.flatMap(({ metadata }) =>
      metadata ? [metadata.canonical_merchant_name === null] : [],
    );
    expect(new Set(names).size).toBe(2);
  });
});

describe('geometry', () => {
  const sharesBoxes = ({ lines, words }: SyntheticReceipt): boolean =>
    words.every((word) => {
      const line = lines.find(({ line_id }) => line_id === word.line_id);
      return JSON.stringify(line?.bounding_box) === JSON.stringify(word.bounding_box);
    });

  const isUpright = ({ lines }: SyntheticReceipt): boolean => lines[0]?.angle_degrees === 0;

  it('puts the centroid in the middle of the box, and the box close around the corners', () => {
    for (const { lines, words } of fifty) {
      for (const part of [...lines, ...words]) {
        const { x, y, width, height } = part.bounding_box;
        const middle = centroid(part);
        expect(middle.x).toBeCloseTo(x + width / 2, 5);
        expect(middle.y).toBeCloseTo(y + height / 2, 5);
        const corners = [part.top_left, part.top_right, part.bottom_left, part.bottom_right];
        expect(Math.min(...corners.map((corner) => corner.x))).toBe(x);
        expect(Math.max(...corners.map((corner) => corner.y))).toBeCloseTo(y + height, 5);
        expect(width).toBeGreaterThan(0);
        expect(height).toBeGreaterThan(0);
      }
    }
  });

  it('has its origin at the bottom left: the top of a word is above its bottom', () => {
    for (const { words } of fifty) {
      for (const { top_left, bottom_left, top_right, bottom_right } of words) {
        expect(top_left.y).toBeGreaterThan(bottom_left.y);
        expect(top_right.y).toBeGreaterThan(bottom_right.y);
        expect(top_right.x).toBeGreaterThan(top_left.x);
      }
    }
  });

  it('reads down the page by line_id and to the right by word_id', () => {
    for (const receipt of fifty) {
      const { lines, words } = receipt;
      expect(centroid(lines[0] ?? expect.fail()).y).toBeGreaterThan(0.9);
      for (const [i, line] of lines.slice(1).entries()) {
        const above = lines[i] ?? expect.fail();
        // Turned by up to 2.5 degrees, a line on the right may stand higher than its row's beginning.
        expect(centroid(line).y).toBeLessThan(centroid(above).y + 0.05);
      }
      if (sharesBoxes(receipt)) continue;
      for (const [i, word] of words.slice(1).entries()) {
        const before = words[i] ?? expect.fail();
        if (before.line_id !== word.line_id) continue;
        expect(word.bottom_left.x).toBeGreaterThan(before.bottom_right.x);
      }
    }
  });

  it('gives all words the box of their line in some receipts, and their own in others', () => {
    const shared = fifty.filter(sharesBoxes).length;
    expect(shared).toBeGreaterThan(5);
    expect(shared).toBeLessThan(35);
  });

  it('puts lines side by side on one row in some receipts, without touching each other', () => {
    const split = twoHundred.filter(isUpright).map(
      ({ lines }) =>
        lines.filter((line, i) => {
          const above = lines[i - 1];
          if (above === undefined) return false;
          const { y, height } = above.bounding_box;
          const middle = centroid(line).y;
          if (middle < y || middle > y + height) return false;
          expect(line.bounding_box.x).toBeGreaterThan(above.bottom_right.x);
          return true;
        }).length,
    );
    const some = split.filter((pairs) => pairs > 0).length;
    expect(some).toBeGreaterThan(split.length / 4);
    expect(some).toBeLessThan((split.length * 3) / 4);
  });

  it('is turned at times, the angle in degrees and radians, and the line rises with it', () => {
    const turned = fifty.filter((receipt) => !isUpright(receipt));
    expect(turned.length).toBeGreaterThan(10);
    expect(turned.length).toBeLessThan(40);
    for (const { receipt, lines } of turned) {
      for (const line of lines) {
        expect(line.angle_radians).toBeCloseTo((line.angle_degrees * Math.PI) / 180, 5);
        const rise = (line.bottom_right.y - line.bottom_left.y) * receipt.height;
        const run = (line.bottom_right.x - line.bottom_left.x) * receipt.width;
        expect(Math.atan2(rise, run)).toBeCloseTo(line.angle_radians, 2);
        const up = (line.top_left.y - line.bottom_left.y) * receipt.height;
        const sideways = (line.top_left.x - line.bottom_left.x) * receipt.width;
        expect(Math.atan2(up, sideways)).toBeCloseTo(line.angle_radians + Math.PI / 2, 2);
      }
    }
  });

  it('stays on the sheet, but for slightly negative values now and then, turned or not', () => {
    const [lowestUpright, lowest] = [twoHundred.filter(isUpright), twoHundred].map((receipts) => {
      const boxes = receipts.flatMap(({ lines }) => lines.map((line) => line.bounding_box));
      for (const { x, y, width, height } of boxes) {
        expect(Math.max(x + width, y + height)).toBeLessThan(1.1);
      }
      return boxes.reduce((low, { x, y }) => Math.min(low, x, y), 1);
    });
    expect(lowestUpright).toBeLessThan(0);
    expect(lowestUpright).toBeGreaterThan(-0.01);
    expect(lowest).toBeLessThan(-0.01);
    expect(lowest).toBeGreaterThan(-0.1);
  });

  it('comes with a confidence that is 0 at times', () => {
    const confidences = fifty.flatMap(({ words }) => words.map(({ confidence }) => confidence));
    expect(confidences).toContain(0);
    expect(confidences.filter((confidence) => confidence === 0).length).toBeLessThan(
      confidences.length / 20,
    );
  });
});

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
