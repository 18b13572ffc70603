import assert from 'node:assert/strict';
import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import type { ChromaStack } from './chroma_stack.ts';

/** A question as `receipts search` takes it. */
export type Question = readonly string[];

/** The most frequent. @throws when there is none. */
function usual(values: readonly (string | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  const [first] = [...Map.groupBy(known, (value) => value)].sort(
    ([a, one], [b, other]) => other.length - one.length || (a < b ? -1 : 1),
  );
  assert.ok(first !== undefined, 'nothing to ask for');
  return first[0];
}

/** What a person asks of these receipts, with every filter. All of it has hits but the merchant that nobody has. */
export function questionsOf(receipts: readonly SyntheticReceipt[]): readonly Question[] {
  const labels = receipts.flatMap((receipt) => receipt.labels);
  const labelled = (judged: string): string =>
    usual(labels.filter((one) => one.validation_status === judged).map(({ label }) => label));
  const [valid, invalid] = [labelled('VALID'), labelled('INVALID')];
  const merchant = usual(
    receipts.map(({ metadata }) => metadata?.canonical_merchant_name ?? metadata?.merchant_name),
  );
  const [first, second] = receipts;
  assert.ok(first !== undefined && second !== undefined, 'no receipts');
  const idOf = (
    { image_id, receipt_id }: SyntheticReceipt['receipt'],
    ...parts: readonly string[]
  ): string => [`IMAGE#${image_id}#RECEIPT#${fiveDigits(receipt_id)}`, ...parts].join('#');
  const line = first.lines.find(({ is_noise: noise, text }) => !noise && text.trim() !== '');
  const word = second.words.find(({ is_noise: noise, text }) => !noise && text.trim() !== '');
  assert.ok(line !== undefined && word !== undefined, 'no line or no word');
  const ofLine = idOf(first.receipt, 'LINE', fiveDigits(line.line_id));
  const ofWord = idOf(
    ...([second.receipt, 'LINE', fiveDigits(word.line_id)] as const),
    ...(['WORD', fiveDigits(word.word_id)] as const),
  );
  const image = ['--image', second.receipt.image_id];
  const receipt = [...image, '--receipt', String(second.receipt.receipt_id)];
  const words = (...argv: Question): Question => [...argv, '--entity', 'words'];
  return [
    ['total'],
    ['oat milk'],
    ['visa card', '--k', '50'],
    [line.text, '--k', '300'],
    ['total', '--min-score', '0.3'],
    ['tax', '--by-receipt'],
    ['total', '--merchant', merchant],
    ['total', '--merchant', 'Nobody’s Market'],
    ['total', ...image],
    ['total', ...receipt],
    ['total', ...receipt, '--by-receipt'],
    ['--like', ofLine],
    ['--like', ofLine, '--exclude-receipt', 'self', '--k', '40'],
    words('milk'),
    words(word.text, '--k', '300'),
    words('total', '--by-receipt'),
    words('total', '--merchant', merchant, '--k', '20'),
    words('12.50', '--label', valid, '--k', '100'),
    words('12.50', '--label', valid, '--label-is', 'valid', '--merchant', merchant),
    words('12.50', '--label', invalid, '--label-is', 'invalid'),
    words('total', '--not-label', valid, '--k', '30'),
    words('total', ...receipt),
    words('--like', ofWord),
    words('--like', ofWord, '--exclude-receipt', 'self', '--k', '60'),
    words('--like', ofWord, '--label', valid),
  ];
}

function fiveDigits(value: number): string {
  return String(value).padStart(5, '0');
}

/** Asks all of them of both stores. @throws where a store answers otherwise. */
export async function askAll(stack: ChromaStack, questions: readonly Question[]): Promise<string> {
  let found = 0;
  for (const question of questions) {
    try {
      const hits = await stack.sameHits(question);
      assert.ok(hits.length > 0 || question.includes('Nobody’s Market'), 'no hits');
      found += hits.length;
    } catch (error) {
      throw new Error(`search ${question.join(' ')}: ${String(error)}`, { cause: error });
    }
  }
  return `${questions.length} questions, ${found} hits`;
}
