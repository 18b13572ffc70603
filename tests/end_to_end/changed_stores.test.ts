import { type RunningServer, serve } from 'embedded-aws/http/server';
import type { Row } from 'receipt-embedding/entities/keys';
import { PineconeStandIn } from 'vendor-stand-ins/pinecone/pinecone_stand_in';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectInvariants } from '../support/invariants.ts';
import { SearchStack } from '../support/search_stack.ts';
import { shelfReceipt } from '../support/shelf_receipts.ts';
import { storeContents } from '../support/stack_stores.ts';
import { pineconeContents } from '../support/stored_vectors.ts';
import { FUNCTIONS } from '../support/test_stack.ts';

// A stack whose stores change: what another deployment changes of its functions, changed while the stack runs. One full run brings
// every store up to date, and asks OpenAI nothing.

const CORNER = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const SPROUTS = 'a8098c1a-f86e-4da5-8a1c-9a0d4b7ac3f5';

let stack: SearchStack;

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
});

/** As a deployment with another `vector_stores` leaves the functions of the realtime path. */
function deployWith(variables: Readonly<Record<string, string>>): void {
  for (const name of [FUNCTIONS.find, FUNCTIONS.process]) stack.configure(name, variables);
}

/** A full run that asks OpenAI nothing. */
async function runForNothing(): Promise<void> {
  const [{ execution, summary }, requests] = await stack.countingRequests(() => stack.run());
  expect([execution.status, summary.failed, requests]).toStrictEqual(['SUCCEEDED', 0, 0]);
}

/** The ids that each store has of each image; every store of the stack must have the same. */
async function idsInAll(): Promise<readonly string[]> {
  const [first, ...others] = (await storeContents(stack.local)).map(({ lines, words }) =>
    [...lines.keys(), ...words.keys()].sort(),
  );
  for (const other of others) expect(other).toStrictEqual(first);
  return first ?? [];
}

async function idsInPinecone(): Promise<string[]> {
  const { lines, words } = await pineconeContents(stack.local.pineconeAccess);
  return [...lines.keys(), ...words.keys()];
}

async function deleteReceipt(image: string): Promise<Row[]> {
  const rows = (await stack.rows()).filter(
    (row) => row.PK === `IMAGE#${image}` && row['TYPE'] !== 'COMPACTION_RUN',
  );
  for (const row of rows) await stack.delete(row);
  return rows;
}

describe('a store that a stack gets later', () => {
  it('has everything after one full run, without OpenAI', async () => {
    deployWith({ VECTOR_STORES: 's3_vectors' });
    await stack.run();
    await expectInvariants(stack);
    expect(await idsInPinecone()).toStrictEqual([]);

    deployWith({ VECTOR_STORES: 's3_vectors,pinecone' });
    await runForNothing();

    expect((await idsInAll()).length).toBeGreaterThan(10);
    expect((await idsInPinecone()).length).toBeGreaterThan(10);
    await expectInvariants(stack);
    const { hits } = await stack.found('OAT MILK 3.99', '--store', 'pinecone');
    expect(hits[0]?.text).toBe('OAT MILK 3.99');

    const rows = await stack.rows();
    await runForNothing();
    expect(await stack.rows()).toStrictEqual(rows);
  });
});

describe('another index of the same kind', () => {
  let server: RunningServer;
  let other: PineconeStandIn;

  beforeAll(async () => {
    const { embeddingModel, pineconeAccess } = stack.local;
    other = new PineconeStandIn({
      apiKey: pineconeAccess.apiKey,
      indexName: 'receipts',
      dimension: embeddingModel.dimensions,
    });
    server = await serve((request) => other.handle(request), 0);
  });

  afterAll(() => server.close());

  it('is another store: it has everything after one full run, and the old one stays', async () => {
    await stack.run();
    const before = (await idsInPinecone()).sort();

    deployWith({ PINECONE_HOST: server.url });
    await runForNothing();

    expect(await idsInAll()).toStrictEqual(before);
    expect((await idsInPinecone()).sort()).toStrictEqual(before);
    await expectInvariants(stack);
  });
});

describe('a store that a stack lost, and got back', () => {
  it('has what the table says then: what was deleted, edited and added meanwhile', async () => {
    await stack.run();
    deployWith({ VECTOR_STORES: 's3_vectors' });
    await deleteReceipt(CORNER);
    const [label] = (await stack.rowsOfType('RECEIPT_WORD_LABEL')).filter(
      ({ PK }) => PK === `IMAGE#${SPROUTS}`,
    );
    if (label === undefined) throw new Error('there is no label');
    await stack.update(label, { validation_status: 'INVALID' });
    await runForNothing();
    await expectInvariants(stack);
    const stale = await idsInPinecone();
    expect(stale.some((id) => id.includes(CORNER))).toBe(true);

    deployWith({ VECTOR_STORES: 's3_vectors,pinecone' });
    await runForNothing();

    expect((await idsInAll()).filter((id) => id.includes(CORNER))).toStrictEqual([]);
    const question = ['milk', '--entity', 'words', '--label', 'PRODUCT_NAME'];
    const invalid = [...question, '--label-is', 'invalid', '--store', 'pinecone'];
    expect((await stack.found(...invalid)).hits.map(({ image_id }) => image_id)).toStrictEqual([
      SPROUTS,
    ]);
    await expectInvariants(stack);
    const rows = await stack.rows();
    await runForNothing();
    expect(await stack.rows()).toStrictEqual(rows);
  });

  it('has a receipt that came back meanwhile as it is now', async () => {
    await stack.run();
    const ids = await idsInAll();
    deployWith({ VECTOR_STORES: 's3_vectors' });
    const rows = await deleteReceipt(CORNER);
    await runForNothing();
    for (const row of rows) await stack.put(row);
    const word = rows.find((row) => row['text'] === 'BREAD');
    if (word === undefined) throw new Error('there is no such word');
    await stack.delete(word);
    await stack.run();

    deployWith({ VECTOR_STORES: 's3_vectors,pinecone' });
    await runForNothing();

    expect(await idsInAll()).toStrictEqual(ids.filter((id) => id !== `${word.PK}#${word.SK}`));
    await expectInvariants(stack);
  });
});
