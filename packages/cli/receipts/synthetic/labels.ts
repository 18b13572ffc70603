import {
  type ReceiptWord,
  type ReceiptWordLabel,
  VALIDATION_STATUSES,
} from 'receipt-embedding/entities/line_and_word';
import type { Random } from './random.ts';

/** Half of the labels have been confirmed by somebody; the others are as far as they got. */
const statuses = [...VALIDATION_STATUSES, 'VALID', 'VALID', 'VALID', 'PENDING'] as const;

const mistakes = ['PRODUCT_NAME', 'MERCHANT_NAME', 'UNIT_PRICE', 'DISCOUNT', 'TIME'];

/**
 * The labels of one word: mostly what it is, at times nothing, at times a wrong guess besides.
 *
 * @param label what the word is.
 * @param addedAfter the labels come in the days after it.
 */
export function labelsOf(
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
