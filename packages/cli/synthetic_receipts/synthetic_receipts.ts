import {
  type ReceiptLine,
  type ReceiptWord,
  type ReceiptWordLabel,
  VALIDATION_STATUSES,
} from 'receipt-embedding/entities/line_and_word';
import type { Receipt, ReceiptMetadata } from 'receipt-embedding/entities/receipt';
import { addressOf, type Shop, shops } from './catalogue.ts';
import { compose } from './composition.ts';
import { layOut, type PlacedLine, type PlacedWord, type Sheet } from './layout.ts';
import { Random } from './random.ts';

/** A receipt with all that belongs to it, none of it embedded yet. */
export interface SyntheticReceipt {
  readonly receipt: Receipt;
  /** From the top down; `line_id` counts them. */
  readonly lines: readonly ReceiptLine[];
  /** Line by line, from the left; `word_id` counts those of one line. */
  readonly words: readonly ReceiptWord[];
  readonly labels: readonly ReceiptWordLabel[];
  /** Only where the merchant has been found out. */
  readonly metadata?: ReceiptMetadata;
}

interface SyntheticReceiptsOptions {
  readonly count: number;
  readonly seed: number | string;
  /** The words of every receipt, noise included: an integer, 1 or more. @default 8 to 300, mostly fewer than 100 */
  readonly words?: number;
}

/**
 * Receipts of shops that do not exist, made one at a time as they are asked for. The same seed gives the same
 * receipts, and what a receipt is depends on the seed and its place alone: a greater count only adds to them.
 *
 * @throws RangeError when `words` is not an integer of 1 or more.
 */
export function* syntheticReceipts({
  count,
  seed,
  words,
}: SyntheticReceiptsOptions): Generator<SyntheticReceipt, void, undefined> {
  if (words !== undefined && (!Number.isInteger(words) || words < 1)) {
    throw new RangeError(`words must be an integer of 1 or more, not ${words}`);
  }
  for (let i = 0; i < count; i++) yield syntheticReceipt(new Random(`${seed}/${i}`), words);
}

/** Purchases are of the two years from here, between seven in the morning and ten at night. */
const firstDay = Date.UTC(2024, 0, 1);
const days = 2 * 365;

function syntheticReceipt(random: Random, words: number | undefined): SyntheticReceipt {
  const shop = random.pick(shops);
  const identity = { image_id: random.uuid(), receipt_id: random.chance(0.1) ? 2 : 1 };
  const purchasedAt = drawPurchase(random);
  const addedAt = new Date(purchasedAt.getTime() + random.int(1, 72) * 3_600_000);
  const sheet = drawSheet(random);
  const rows = compose(shop, purchasedAt, words ?? drawWordCount(random), random);
  const placed = layOut(rows, sheet, random);
  const lines = placed.map((line, i) => lineOf(line, { ...identity, line_id: i + 1 }, random));
  const wordsWithLabels = placed.flatMap((line, i) =>
    line.words.map((word, j) => ({
      word: wordOf(word, { ...identity, line_id: i + 1, word_id: j + 1 }, random),
      label: word.word.label,
    })),
  );
  const labelled = random.chance(0.85);
  return {
    receipt: receiptOf(identity, sheet, addedAt, random),
    lines,
    words: wordsWithLabels.map(({ word }) => word),
    labels: wordsWithLabels.flatMap(({ word, label }) =>
      labelled && label !== undefined ? labelsOf(word, label, addedAt, random) : [],
    ),
    ...(random.chance(0.6) ? { metadata: metadataOf(identity, shop, random) } : {}),
  };
}

function drawPurchase(random: Random): Date {
  const minutes = random.int(0, days - 1) * 24 * 60 + random.int(7 * 60, 22 * 60);
  return new Date(firstDay + minutes * 60_000);
}

/** Most receipts are short, a few are very long. */
function drawWordCount(random: Random): number {
  return 8 + Math.floor(293 * random.next() ** 2.2);
}

function drawSheet(random: Random): Sheet {
  const width = random.int(480, 1100);
  return {
    width,
    height: Math.round(width * random.between(1.6, 3.2)),
    angleDegrees: random.chance(0.5) ? 0 : Math.round(random.between(-2.5, 2.5) * 100) / 100,
    columns: random.chance(0.5),
    sharedBoxes: random.chance(0.35),
    leftMargin: random.between(-0.006, 0.05),
  };
}

interface Identity {
  readonly image_id: string;
  readonly receipt_id: number;
}

function receiptOf(identity: Identity, sheet: Sheet, addedAt: Date, random: Random): Receipt {
  const left = random.between(0.02, 0.2);
  const right = random.between(0.8, 0.98);
  const bottom = random.between(0.01, 0.1);
  const top = random.between(0.9, 0.99);
  return {
    ...identity,
    width: sheet.width,
    height: sheet.height,
    timestamp_added: addedAt.toISOString(),
    raw_s3_bucket: 'synthetic-receipts-raw',
    raw_s3_key: `raw/${identity.image_id}_${identity.receipt_id}.png`,
    top_left: { x: left, y: top },
    top_right: { x: right, y: top },
    bottom_left: { x: left, y: bottom },
    bottom_right: { x: right, y: bottom },
    sha256: random.hex(64),
  };
}

function lineOf(
  { placement, words }: PlacedLine,
  identity: Identity & { readonly line_id: number },
  random: Random,
): ReceiptLine {
  return {
    ...identity,
    ...placement,
    text: words.map(({ word }) => word.text).join(' '),
    confidence: drawConfidence(random),
    ...noiseOf(words.every(({ word }) => word.noise === true)),
  };
}

function wordOf(
  { placement, word }: PlacedWord,
  identity: Identity & { readonly line_id: number; readonly word_id: number },
  random: Random,
): ReceiptWord {
  return {
    ...identity,
    ...placement,
    text: word.text,
    confidence: drawConfidence(random),
    extracted_data: word.extracted ?? null,
    ...noiseOf(word.noise === true),
  };
}

/** OCR says 0 where it will not say. */
function drawConfidence(random: Random): number {
  return random.chance(0.02) ? 0 : Math.round(random.between(0.3, 1) * 1000) / 1000;
}

function noiseOf(isNoise: boolean): { is_noise: boolean; embedding_status: 'NOISE' | 'NONE' } {
  return { is_noise: isNoise, embedding_status: isNoise ? 'NOISE' : 'NONE' };
}

function metadataOf(identity: Identity, shop: Shop, random: Random): ReceiptMetadata {
  return {
    ...identity,
    merchant_name: shop.printedName,
    canonical_merchant_name: random.chance(0.7) ? shop.canonicalName : null,
    place_id: shop.placeId,
    address: random.chance(0.9) ? addressOf(shop) : null,
    phone_number: random.chance(0.9) ? shop.phone : null,
    validation_status: random.pick(['MATCHED', 'UNSURE', 'NO_MATCH']),
  };
}

/** Half of the labels have been confirmed by somebody; the others are as far as they got. */
const statuses = [...VALIDATION_STATUSES, 'VALID', 'VALID', 'VALID', 'PENDING'] as const;

const mistakes = ['PRODUCT_NAME', 'MERCHANT_NAME', 'UNIT_PRICE', 'DISCOUNT', 'TIME'];

/**
 * The labels of one word: mostly what it is, at times nothing, at times a wrong guess besides.
 *
 * @param label what the word is.
 * @param addedAfter the labels come in the days after it.
 */
function labelsOf(
  { image_id, receipt_id, line_id, word_id }: ReceiptWord,
  label: string,
  addedAfter: Date,
  random: Random,
): readonly ReceiptWordLabel[] {
  const give = (
    name: string,
    validation_status: ReceiptWordLabel['validation_status'],
  ): ReceiptWordLabel => ({
    image_id,
    receipt_id,
    line_id,
    word_id,
    label: name,
    validation_status,
    timestamp_added: new Date(addedAfter.getTime() + random.int(1, 604_800) * 1000).toISOString(),
    label_proposed_by: random.pick(['label-model-v2', 'reviewer', null]),
    label_consolidated_from: random.chance(0.1) ? `${name}_RAW` : null,
    reasoning: random.chance(0.3) ? 'agrees with its place on the receipt' : null,
  });
  const labels: ReceiptWordLabel[] = [];
  if (random.chance(0.85)) labels.push(give(label, random.pick(statuses)));
  const mistake = random.pick(mistakes);
  if (random.chance(0.08) && mistake !== label) labels.push(give(mistake, 'INVALID'));
  return labels;
}
