import type { ExtractedData } from 'receipt-embedding/entities/line_and_word';
import { addressOf, assortments, type Shop } from './catalogue.ts';
import type { Random } from './random.ts';

/**
 * Writes a receipt of exactly `wordCount` words. What matters most (the shop, the total, the date, an item) gets its
 * room first, then the rest of head and foot as chance has it; items fill what is left.
 *
 * @param purchasedAt the day and time that is printed, read as UTC.
 */
export function compose(
  shop: Shop,
  purchasedAt: Date,
  wordCount: number,
  random: Random,
): readonly PrintedRow[] {
  // In less than a dozen words there is no room for a smudge beside the essentials.
  const noiseWords = wordCount >= 12 && random.chance(0.5) ? random.int(1, 3) : 0;
  const budget = new WordBudget(wordCount - noiseWords);

  const head = budget.rows([centredRow(printed(shop.printedName, { label: 'MERCHANT_NAME' }))]);
  const hasTotal = budget.take(totalWords, smallestItemWords);
  const hasDate = budget.take(1, smallestItemWords);

  const forItems = Math.max(3, Math.ceil(wordCount / 4));
  const hasBreakdown = hasTotal && budget.take(breakdownWords, forItems);
  const optional = (probability: number, rows: readonly PrintedRow[]): readonly PrintedRow[] =>
    random.chance(probability) ? budget.rows(rows, forItems) : [];
  const hasTime = hasDate && random.chance(0.8) && budget.take(1, forItems);
  const address = optional(0.85, addressRows(shop));
  const phone = optional(0.85, [centredRow(phoneWords(shop))]);
  const web = optional(0.5, [centredRow(webWords(shop))]);
  const till = optional(0.5, tillRows(shop, random));
  const card = optional(0.75, cardRows(random));
  const thanks = optional(0.7, [centredRow(printed(random.pick(farewells)))]);

  const items = chooseItems(shop, budget, random);
  const filling = fillingRows(budget, random);
  const sums = sumsOf(items, hasBreakdown ? shop.taxBasisPoints : 0);
  const rows = [
    ...head,
    ...address,
    ...phone,
    ...web,
    ...till,
    ...(hasDate ? [dateRow(purchasedAt, hasTime, random)] : []),
    ...items.flatMap(itemRows),
    ...(hasBreakdown ? breakdownRows(sums) : []),
    ...(hasTotal ? [totalRow(sums)] : []),
    ...card,
    ...thanks,
    ...filling,
  ];
  return withNoise(rows, noiseWords, random);
}

/** The words that may still be printed. */
class WordBudget {
  #left: number;

  constructor(words: number) {
    this.#left = words;
  }

  get left(): number {
    return this.#left;
  }

  /** Takes these words, if as many as `leaving` are left afterwards. */
  take(words: number, leaving = 0): boolean {
    if (this.#left - words < leaving) return false;
    this.#left -= words;
    return true;
  }

  /** The rows, all of them or none. */
  rows(rows: readonly PrintedRow[], leaving = 0): readonly PrintedRow[] {
    const words = rows.reduce((sum, { left, right }) => sum + left.length + right.length, 0);
    return this.take(words, leaving) ? rows : [];
  }
}

const totalWords = 2;
const breakdownWords = 4;
const smallestItemWords = 2;
const quantityWords = 3;
const farewells = ['THANK YOU', 'PLEASE COME AGAIN', 'HAVE A NICE DAY', 'THANK YOU FOR SHOPPING'];
const singleWords = ['THANKS!', 'WELCOME', 'COPY', 'GOODBYE'];

function addressRows(shop: Shop): readonly PrintedRow[] {
  const about = {
    label: 'ADDRESS_LINE',
    extracted: { type: 'address' as const, value: addressOf(shop) },
  };
  return [
    centredRow(printed(shop.street, about)),
    centredRow(printed(`${shop.city}, ${shop.state} ${shop.zip}`, about)),
  ];
}

function phoneWords({ phone }: Shop): readonly PrintedWord[] {
  return printed(phone, { label: 'PHONE_NUMBER', extracted: { type: 'phone', value: phone } });
}

function webWords({ web }: Shop): readonly PrintedWord[] {
  return printed(web, { label: 'WEBSITE', extracted: { type: 'url', value: web } });
}

function tillRows(shop: Shop, random: Random): readonly PrintedRow[] {
  return [
    row(printed(`Register ${random.digits(2)}`), printed(`Cashier: ${random.pick(shop.cashiers)}`)),
    row(printed(`Trans #${random.digits(6)}`)),
  ];
}

function dateRow(at: Date, withTime: boolean, random: Random): PrintedRow {
  const iso = at.toISOString();
  const [year = '', month = '', day = ''] = iso.slice(0, 10).split('-');
  const value = random.pick([
    `${month}/${day}/${year}`,
    `${year}-${month}-${day}`,
    `${month}/${day}/${year.slice(2)}`,
  ]);
  return row(
    printed(value, { label: 'DATE', extracted: { type: 'date', value } }),
    withTime ? printed(iso.slice(11, 16), { label: 'TIME' }) : [],
  );
}

function cardRows(random: Random): readonly PrintedRow[] {
  const card = random.pick(['VISA', 'MASTERCARD', 'AMEX', 'DEBIT']);
  return [
    row(printed(`${card} ************${random.digits(4)}`, { label: 'PAYMENT_METHOD' })),
    row(printed('AUTH CODE'), printed(random.digits(6))),
  ];
}

/** Each product once, at first; again, at the same price, where the receipt is longer than the assortment. */
function chooseItems(shop: Shop, budget: WordBudget, random: Random): readonly Item[] {
  const items: Item[] = [];
  const prices = new Map<string, number>();
  for (;;) {
    const fitting = assortments[shop.assortment].filter(({ name }) => wordsOf(name) <= budget.left);
    if (fitting.length === 0) return items;
    const fresh = fitting.filter(({ name }) => !prices.has(name));
    const { name, minCents, maxCents } = random.pick(fresh.length > 0 ? fresh : fitting);
    const unitCents = prices.get(name) ?? random.int(minCents, maxCents);
    prices.set(name, unitCents);
    budget.take(wordsOf(name));
    const several = random.chance(0.25) && budget.take(quantityWords);
    items.push({ name, unitCents, quantity: several ? random.int(2, 6) : 1 });
  }
}

/** The name's words and the price. */
function wordsOf(name: string): number {
  return name.split(' ').length + 1;
}

function itemRows(item: Item): readonly PrintedRow[] {
  const price = printed(formatCents(itemCents(item)), { label: 'LINE_TOTAL' });
  const first = row(printed(item.name, { label: 'PRODUCT_NAME' }), price);
  if (item.quantity === 1) return [first];
  const detail = [
    ...printed(`${item.quantity}`, { label: 'QUANTITY' }),
    ...printed('@'),
    ...printed(formatCents(item.unitCents), { label: 'UNIT_PRICE' }),
  ];
  return [first, row(detail)];
}

function breakdownRows({ subtotalCents, taxCents }: Sums): readonly PrintedRow[] {
  return [
    row(printed('SUBTOTAL'), printed(formatCents(subtotalCents), { label: 'SUBTOTAL' })),
    row(printed('TAX'), printed(formatCents(taxCents), { label: 'TAX' })),
  ];
}

function totalRow({ totalCents }: Sums): PrintedRow {
  return row(printed('TOTAL'), printed(`$${formatCents(totalCents)}`, { label: 'GRAND_TOTAL' }));
}

/** Uses the budget up to the last word. */
function fillingRows(budget: WordBudget, random: Random): readonly PrintedRow[] {
  const rows: PrintedRow[] = [];
  while (budget.take(1)) rows.push(centredRow(printed(random.pick(singleWords))));
  return rows;
}

/** A word as it stands on the paper. */
export interface PrintedWord {
  readonly text: string;
  /** What the word is, to one who knows the receipt. */
  readonly label?: string;
  readonly extracted?: ExtractedData;
  /** A stroke or smudge that OCR took for text. */
  readonly noise?: boolean;
}

/** One row of the paper. The right part (a price) stands at the right margin. */
export interface PrintedRow {
  readonly left: readonly PrintedWord[];
  readonly right: readonly PrintedWord[];
  readonly centred: boolean;
}

/** The words of a text, all with the same label and extracted value. */
function printed(text: string, about: Omit<PrintedWord, 'text'> = {}): PrintedWord[] {
  return text.split(' ').map((word) => ({ text: word, ...about }));
}

function row(left: readonly PrintedWord[], right: readonly PrintedWord[] = []): PrintedRow {
  return { left, right, centred: false };
}

function centredRow(words: readonly PrintedWord[]): PrintedRow {
  return { left: words, right: [], centred: true };
}

export interface Item {
  readonly name: string;
  readonly quantity: number;
  readonly unitCents: number;
}

/** The sums of a receipt, in cents: `subtotal` is that of the items, `total` is `subtotal + tax`. */
interface Sums {
  readonly subtotalCents: number;
  readonly taxCents: number;
  readonly totalCents: number;
}

const itemCents = ({ quantity, unitCents }: Item): number => quantity * unitCents;

/** @param taxBasisPoints hundredths of a percent; the tax is rounded to the cent once, on the subtotal. */
function sumsOf(items: readonly Item[], taxBasisPoints: number): Sums {
  const subtotalCents = items.reduce((sum, item) => sum + itemCents(item), 0);
  const taxCents = Math.round((subtotalCents * taxBasisPoints) / 10_000);
  return { subtotalCents, taxCents, totalCents: subtotalCents + taxCents };
}

/** `1234` → `12.34`. */
function formatCents(cents: number): string {
  return (cents / 100).toFixed(2);
}

const smudges = ['|', '~~', '||', "'", '.,', '—', '_'];

/** The rows with this many noise words more: some at the end of a row, some on a row of their own. */
function withNoise(
  rows: readonly PrintedRow[],
  noiseWords: number,
  random: Random,
): readonly PrintedRow[] {
  const result = [...rows];
  for (let i = 0; i < noiseWords; i++) {
    const noise: PrintedWord = { text: random.pick(smudges), noise: true };
    const at = random.int(0, result.length - 1);
    const beside = result[at];
    if (beside === undefined || random.chance(0.4)) result.splice(at, 0, row([noise]));
    else result[at] = { ...beside, left: [...beside.left, noise] };
  }
  return result;
}
