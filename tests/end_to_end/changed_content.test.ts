import type { Row } from 'receipt-embedding/entities/keys';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectInvariants } from '../support/invariants.ts';
import { SearchStack } from '../support/search_stack.ts';
import { shelfReceipt } from '../support/shelf_receipts.ts';
import { type StoreContents, storeContents } from '../support/stack_stores.ts';
import { FUNCTIONS } from '../support/test_stack.ts';

// What a person changes in the table is what a search finds after the next run, in every store, and OpenAI is asked for what
// nobody has bought yet, and nothing else.

const STORES = ['s3_vectors', 'pinecone'] as const;
const CORNER = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const SPROUTS = 'a8098c1a-f86e-4da5-8a1c-9a0d4b7ac3f5';

let stack: SearchStack;
/** Every store, as the first run has left it. */
let before: readonly StoreContents[];

beforeAll(async () => {
  stack = await SearchStack.start();
});

afterAll(() => stack.close());

beforeEach(async () => {
  await stack.reset();
  await stack.load([
    shelfReceipt(CORNER, 'OAT MILK 3.99', 'RYE BREAD 4.50', 'TOTAL 8.49'),
    shelfReceipt(SPROUTS, 'BARISTA MILK 4.19', 'TOTAL 4.19'),
  ]);
  await stack.run();
  before = await storeContents(stack.local);
});

/** Runs over everything. @returns the summary, and every input that OpenAI got. */
async function runAgain(): Promise<{
  readonly summary: Awaited<ReturnType<typeof stack.run>>['summary'];
  readonly inputs: readonly string[];
}> {
  const asked = stack.local.openai.requests.length;
  const { execution, summary } = await stack.run();
  expect(execution.status).toBe('SUCCEEDED');
  const { requests } = stack.local.openai;
  return { summary, inputs: requests.slice(asked).flatMap((request) => request.inputs) };
}

async function rowOf(type: string, image: string, text?: string): Promise<Row> {
  const row = (await stack.rowsOfType(type)).find(
    (one) => one.PK === `IMAGE#${image}` && (text === undefined || one['text'] === text),
  );
  if (row === undefined) throw new Error(`there is no ${type} ${text ?? ''}`);
  return row;
}

/** The images of the words that a search by label finds, in each store. */
async function labelled(validity: 'valid' | 'invalid'): Promise<(readonly string[])[]> {
  return await Promise.all(
    STORES.map(async (store) => {
      const { hits } = await stack.found(
        ...['milk', '--entity', 'words', '--label', 'PRODUCT_NAME', '--label-is', validity],
        ...['--store', store],
      );
      return hits.map(({ image_id }) => image_id).sort();
    }),
  );
}

/** How many lines and words of an image each store finds. */
async function ofImage(image: string): Promise<number[]> {
  const counts: number[] = [];
  for (const store of STORES) {
    let found = 0;
    for (const entity of ['lines', 'words']) {
      const question = ['milk', '--image', image, '--entity', entity, '--store', store];
      found += (await stack.found(...question)).hits.length;
    }
    counts.push(found);
  }
  return counts;
}

describe('a label that somebody changes', () => {
  it('is found as it is now in every store, and changed back as it was, without OpenAI', async () => {
    expect(await labelled('valid')).toStrictEqual([
      [CORNER, SPROUTS],
      [CORNER, SPROUTS],
    ]);
    const label = await rowOf('RECEIPT_WORD_LABEL', CORNER);

    await stack.update(label, { validation_status: 'INVALID' });
    const changed = await runAgain();

    expect(changed.inputs).toStrictEqual([]);
    expect(changed.summary).toMatchObject({ total: 2, succeeded: 1, reused: 1, failed: 0 });
    expect(await labelled('valid')).toStrictEqual([[SPROUTS], [SPROUTS]]);
    expect(await labelled('invalid')).toStrictEqual([[CORNER], [CORNER]]);
    await expectInvariants(stack);

    await stack.update(label, { validation_status: 'VALID' });
    const back = await runAgain();

    expect(back.inputs).toStrictEqual([]);
    expect(await labelled('valid')).toStrictEqual([
      [CORNER, SPROUTS],
      [CORNER, SPROUTS],
    ]);
    expect(await labelled('invalid')).toStrictEqual([[], []]);
    expect(await storeContents(stack.local)).toStrictEqual(before);
    // The content has come back, and is another run: the compactor must learn of it.
    await expectInvariants(stack, [], 2);
    const runs = await stack.rowsOfType('COMPACTION_RUN');
    expect(new Set(runs.map((run) => run['run_id'])).size).toBe(4);
  });
});

describe('a merchant that somebody corrects', () => {
  it('is found by its new name in every store, without OpenAI', async () => {
    const metadata = await rowOf('RECEIPT_METADATA', CORNER);
    await stack.update(metadata, { merchant_name: 'Elm Street Foods' });

    const { inputs } = await runAgain();

    expect(inputs).toStrictEqual([]);
    for (const store of STORES) {
      const { hits } = await stack.found(
        ...['milk', '--merchant', 'Elm Street Foods', '--store', store],
      );
      expect(hits.map(({ image_id }) => image_id)).toStrictEqual([CORNER, CORNER, CORNER]);
    }
    await expectInvariants(stack);
  });
});

describe('a word that somebody corrects', () => {
  it('costs itself, its line and the words that quote it, and is found in every store', async () => {
    await stack.update(await rowOf('RECEIPT_WORD', CORNER, 'BREAD'), { text: 'LOAF' });
    await stack.update(await rowOf('RECEIPT_LINE', CORNER, 'RYE BREAD 4.50'), {
      text: 'RYE LOAF 4.50',
    });

    const { inputs, summary } = await runAgain();

    expect(inputs.filter((input) => !input.includes('LOAF'))).toStrictEqual([]);
    expect(inputs.filter((input) => !input.startsWith('<TARGET>'))).toStrictEqual([
      'RYE LOAF 4.50',
    ]);
    expect(
      inputs.flatMap((input) => /<TARGET>(.*)<\/TARGET>/.exec(input)?.[1] ?? []).sort(),
    ).toStrictEqual(['4.50', 'LOAF', 'RYE']);
    expect(summary).toMatchObject({ openai_requests: 1, succeeded: 1, reused: 1 });
    for (const store of STORES) {
      const [hit] = (await stack.found('RYE LOAF 4.50', '--store', store)).hits;
      expect([hit?.text, hit?.score]).toStrictEqual(['RYE LOAF 4.50', expect.closeTo(1)]);
    }
    await expectInvariants(stack);
  });

  it('is in no store any more when it is deleted, and nothing else is missing', async () => {
    const word = await rowOf('RECEIPT_WORD', CORNER, 'TOTAL');
    await stack.delete(word);

    await runAgain();

    const id = `${word.PK}#${word.SK}`;
    const after = await storeContents(stack.local);
    for (const [at, { lines, words }] of after.entries()) {
      expect([...lines.keys()].sort()).toStrictEqual([...(before[at]?.lines.keys() ?? [])].sort());
      expect([...words.keys(), id].sort()).toStrictEqual(
        [...(before[at]?.words.keys() ?? [])].sort(),
      );
    }
    await expectInvariants(stack);
  });

  it('of a receipt that is edited dozens of times is as the last time, from one whole run', async () => {
    const word = await rowOf('RECEIPT_WORD', SPROUTS, 'BARISTA');
    for (let edit = 1; edit <= 12; edit++) {
      await stack.update(word, { text: `BARISTA${edit}` });
      await runAgain();
    }

    await stack.update(word, { text: 'BARISTA' });
    const { inputs } = await runAgain();

    // A run holds what its receipt says, and what it said before is not looked for in all runs that there ever were.
    expect(inputs.length).toBeLessThanOrEqual(2);
    for (const { words } of await storeContents(stack.local)) {
      expect(words.get(`${word.PK}#${word.SK}`)?.metadata['text']).toBe('BARISTA');
    }
    await expectInvariants(stack, [], 2);
  });
});

describe('a receipt that somebody deletes', () => {
  const rowsOf = async (image: string): Promise<Row[]> =>
    (await stack.rows()).filter(
      (row) => row.PK === `IMAGE#${image}` && row['TYPE'] !== 'COMPACTION_RUN',
    );

  it('is found in no store after a full run, and is embedded again when it returns', async () => {
    const rows = await rowsOf(CORNER);
    for (const row of rows) await stack.delete(row);

    const { inputs } = await runAgain();

    expect(inputs).toStrictEqual([]);
    expect(await ofImage(CORNER)).toStrictEqual([0, 0]);
    for (const { lines, words } of await storeContents(stack.local)) {
      const ids = [...lines.keys(), ...words.keys()];
      expect(ids.filter((id) => id.includes(CORNER))).toStrictEqual([]);
    }
    const record = (await stack.rowsOfType('EMBEDDED_RECEIPT')).find(({ PK }) =>
      PK.includes(CORNER),
    );
    expect(record).toMatchObject({ runs: [], stores: {}, gone_at: expect.any(String) as string });
    await expectInvariants(stack);

    const invoked = stack.invocations(FUNCTIONS.process);
    await runAgain();
    expect(stack.invocations(FUNCTIONS.process)).toBe(invoked + 1);

    for (const row of rows) {
      const status = { embedding_status: 'NONE', GSI1PK: 'EMBEDDING_STATUS#NONE' };
      await stack.put('embedding_status' in row ? { ...row, ...status } : row);
    }
    const back = await runAgain();

    expect(back.summary).toMatchObject({ succeeded: 1, reused: 1, failed: 0 });
    expect(await storeContents(stack.local)).toStrictEqual(before);
    await expectInvariants(stack, [], 2);
  });
});
