import { describe, expect, it } from 'vitest';
import { searchInputSchema } from './search_input.ts';

const IMAGE_ID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const LINE = `IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#00002`;
const WORD = `${LINE}#WORD#00003`;

/** `field: problem`, of each problem. */
function problems(input: unknown): string[] {
  const parsed = searchInputSchema.safeParse(input);
  return (parsed.error?.issues ?? []).map(
    ({ path: [field = ''], message }) => `${String(field)}: ${message}`,
  );
}

describe('what is searched for', () => {
  it('is a question for ten lines, unless said otherwise', () => {
    expect(searchInputSchema.parse({ query: 'oat milk' })).toStrictEqual({
      query: 'oat milk',
      entity: 'lines',
      k: 10,
      by_receipt: false,
    });
  });

  it('takes every option with a question for words', () => {
    const input = {
      query: 'oat milk',
      entity: 'words',
      k: 300,
      merchant: 'Corner Market',
      label: 'PRODUCT_NAME',
      label_is: 'invalid',
      not_label: 'TAX',
      image_id: IMAGE_ID,
      receipt_id: 1,
      min_score: 0.5,
      store: 'pinecone',
      by_receipt: true,
    };
    expect(searchInputSchema.parse(input)).toStrictEqual(input);
  });

  it('takes labels in any case', () => {
    const { label, not_label } = searchInputSchema.parse({
      query: 'x',
      entity: 'words',
      label: ' product_name',
      not_label: 'tax',
    });
    expect([label, not_label]).toStrictEqual(['PRODUCT_NAME', 'TAX']);
  });

  it.each([
    ['nothing to look for', {}, /^query: expected exactly one of query/],
    ['a question and an example', { query: 'milk', like: LINE }, /^query: expected exactly one/],
    ['an example and ids', { like: LINE, ids: [LINE] }, /^query: expected exactly one/],
    ['an empty question', { query: '' }, /^query: the question is empty/],
    ['a question of blanks', { query: ' \n\t' }, /^query: the question is empty/],
    ['a question that is no text', { query: 3 }, /^query: .*expected string/],
    ['an example that is no id', { like: 'milk' }, /^like: expected the id of a line or a word/],
    ['the id of a receipt', { like: `IMAGE#${IMAGE_ID}#RECEIPT#00001` }, /^like: expected the id/],
    ['the id of a label', { like: `${WORD}#LABEL#TAX` }, /^like: expected the id/],
    [
      "a word's id among lines",
      { like: WORD },
      /^like: that is the id of a word: search with entity words/,
    ],
    [
      "a line's id among words",
      { like: LINE, entity: 'words' },
      /^like: that is the id of a line: search with entity lines/,
    ],
    ['no ids', { ids: [] }, /^ids: expected at least one id/],
    ['too many ids', { ids: new Array<string>(301).fill(LINE) }, /^ids: at most 300 ids/],
    ['ids of both kinds', { ids: [LINE, WORD] }, /^ids: that is the id of a word/],
    ['something else than lines or words', { query: 'x', entity: 'receipts' }, /^entity: expected/],
    ['no hits', { query: 'x', k: 0 }, /^k: expected 1 to 300/],
    ['too many hits', { query: 'x', k: 301 }, /^k: expected 1 to 300/],
    ['half a hit', { query: 'x', k: 1.5 }, /^k: expected a whole number/],
    ['a number as text', { query: 'x', k: '5' }, /^k: expected a whole number/],
    ['a merchant without a name', { query: 'x', merchant: '' }, /^merchant: expected a merchant/],
    ['an endless merchant', { query: 'x', merchant: 'x'.repeat(201) }, /^merchant: no merchant/],
    ['a label of lines', { query: 'x', label: 'TAX' }, /^label: only words have labels/],
    ['no label of lines', { query: 'x', not_label: 'TAX' }, /^label: only words have labels/],
    [
      'two labels in one',
      { query: 'x', entity: 'words', label: 'TAX,TOTAL' },
      /^label: expected the name of a label/,
    ],
    ['a judgement of no label', { query: 'x', label_is: 'valid' }, /^label_is: .*name the label/],
    [
      'a judgement that is none',
      { query: 'x', entity: 'words', label: 'TAX', label_is: 'maybe' },
      /^label_is: expected valid or invalid/,
    ],
    ['an image that is none', { query: 'x', image_id: 'me' }, /^image_id: expected a UUID/],
    ['a receipt of any image', { query: 'x', receipt_id: 1 }, /^receipt_id: .*name image_id too/],
    ['receipt 0', { query: 'x', image_id: IMAGE_ID, receipt_id: 0 }, /^receipt_id: /],
    ['a receipt other than its own', { like: LINE, exclude_receipt: 'all' }, /: expected self/],
    ['no receipt of its own', { query: 'x', exclude_receipt: 'self' }, /^exclude_receipt: self is/],
    ['a score above 1', { query: 'x', min_score: 1.1 }, /^min_score: a score is from -1 to 1/],
    ['a score below -1', { query: 'x', min_score: -1.1 }, /^min_score: a score is from -1 to 1/],
    ['a store that nobody has', { query: 'x', store: 'faiss' }, /^store: expected one of s3_vec/],
    ['best hits of maybe', { query: 'x', by_receipt: 'yes' }, /^by_receipt: /],
    ['a field with a slip', { query: 'x', entiti: 'words' }, /^: a field is not known; known are/],
    ['a number of named vectors', { ids: [LINE], k: 3 }, /^k: vectors that are named by ids/],
    ['a score of named vectors', { ids: [LINE], min_score: 0 }, /^min_score: vectors that are/],
  ])('is not %s', (_, input, problem) => {
    expect(problems(input)).toHaveLength(1);
    expect(problems(input)[0]).toMatch(problem);
  });

  it('has every problem reported at once, and is quoted in none', () => {
    const secret = 'what i bought';
    const wrong = { query: secret, like: secret, k: 0, merchant: '', [secret]: 1, store: secret };
    expect(problems(wrong).map((problem) => problem.split(':')[0])).toStrictEqual([
      'like',
      'k',
      'merchant',
      'store',
      '',
    ]);
    expect(problems(wrong).join()).not.toContain(secret);
  });
});
