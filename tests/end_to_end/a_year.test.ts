import { type Row, rowKey } from 'receipt-embedding/entities/keys';
import { localStores } from 'receipts-cli/local_stores';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { shelfReceipt } from '../support/shelf_receipts.ts';
import { ArrivalStack } from '../support/arrival_stack.ts';
import { FUNCTIONS } from '../support/test_stack.ts';
import { expectRepaired, expectVerified } from '../support/verified_stack.ts';

// A year of a stack that embeds what arrives, a step a month: whatever happens to it, its stores say what its table says soon after, or
// differ in exactly what was broken on purpose, and that is repaired without OpenAI.

const image = (n: number): string => `3f2504e0-4f89-41d3-9a0c-${String(n).padStart(12, '0')}`;
const line = (n: number, at: number) =>
  rowKey(image(n), `IMAGE#${image(n)}#RECEIPT#00001#LINE#${String(at).padStart(5, '0')}`);

let stack: ArrivalStack;

beforeAll(async () => {
  stack = await ArrivalStack.arriving();
});

afterAll(() => stack.close());

function deployWith(variables: Readonly<Record<string, string>>): void {
  for (const name of [FUNCTIONS.find, FUNCTIONS.process]) stack.configure(name, variables);
}

/** What happens is followed by itself. @returns how often OpenAI was asked. */
async function follows(change: () => Promise<unknown>): Promise<number> {
  const [executions, requests] = await stack.countingRequests(async () => {
    await change();
    return await stack.settle();
  });
  expect(executions.length).toBeGreaterThan(0);
  await expectVerified(stack);
  return requests;
}

/** Replaces the table by what it was: a table that is restored has a stream that nobody reads yet. */
async function restore(backup: readonly Row[]): Promise<void> {
  const letArrive = stack.local.aws.eventSources.hold();
  for (const row of await stack.rows()) await stack.delete(row);
  for (const row of backup) await stack.put(row);
  letArrive();
}

/** A full run, by the schedule. @returns how often it asked OpenAI. */
async function fullRun(): Promise<number> {
  const [{ execution, summary }, requests] = await stack.countingRequests(() => stack.run());
  expect([execution.status, summary.failed]).toStrictEqual(['SUCCEEDED', 0]);
  await expectVerified(stack);
  return requests;
}

async function rowsOf(n: number): Promise<Row[]> {
  return (await stack.rows()).filter(({ PK }) => PK === `IMAGE#${image(n)}`);
}

it('stays true through a year', async () => {
  // January: a stack of one store, and what arrives.
  deployWith({ VECTOR_STORES: 's3_vectors' });
  const first = [
    shelfReceipt(image(1), 'OAT MILK 3.99', 'TOTAL 3.99'),
    shelfReceipt(image(2), 'BARISTA MILK 4.19'),
  ];
  expect(await follows(() => stack.load(first))).toBe(2);

  // March: more arrives, while a text is edited, by somebody who knows nothing of its status.
  const bought = await follows(async () => {
    await stack.load([shelfReceipt(image(3), 'RYE BREAD 4.50', 'TOTAL 4.50')]);
    await stack.update(line(1, 2), { text: 'TOTAL 4.99' });
  });
  expect(bought).toBe(2);

  // April: people judge labels; nothing is bought for it.
  const [label] = await stack.rowsOfType('RECEIPT_WORD_LABEL');
  if (label === undefined) throw new Error('there is no label');
  expect(await follows(() => stack.update(label, { validation_status: 'INVALID' }))).toBe(0);
  expect(await fullRun()).toBe(0);

  // May: a store more.
  deployWith({ VECTOR_STORES: 's3_vectors,pinecone' });
  // The first has 2 lines and 5 words, the second 1 and 3, the third 2 and 5: they are SUCCESS, and the new store lacks them.
  await expectRepaired(stack, { store_lacks: 18 });
  expect(await fullRun()).toBe(0);

  // June: a key is revoked before the new one is set. Runs fail, and nothing says what is not so; the new key goes on.
  const setNewKey = stack.breakOpenAI({ status: 401, code: 'invalid_api_key' });
  await follows(() => stack.load([shelfReceipt(image(4), 'EGGS 5.10')]));
  expect((await stack.run()).execution.status).toBe('FAILED');
  await expectVerified(stack);
  setNewKey();
  stack.killEnvironments(FUNCTIONS.process);
  expect(await fullRun()).toBeGreaterThan(0);

  // July: a backup; then a line, and a receipt, are deleted.
  const backup = await stack.rows();
  const deleted = await follows(async () => {
    for (const row of await rowsOf(2)) await stack.delete(row);
    await stack.delete(line(3, 2));
  });
  expect(deleted).toBe(0);
  expect(await fullRun()).toBe(0);

  // September: somebody breaks a store.
  const [store] = localStores(stack.local);
  const { PK, SK } = line(1, 1);
  await store?.remove('lines', [`${PK}#${SK}`]);
  expect(await expectRepaired(stack, { store_lacks: 1 })).toBe(0);

  // October: the table is restored. What was deleted is there again, and the log has its vectors.
  await restore(backup);
  // In both stores: a receipt of 4 vectors, a line, and what the line above it quotes.
  expect(await expectRepaired(stack, { store_lacks: 10, store_differs: 2 })).toBe(0);
  expect(await fullRun()).toBe(0);

  // December: what arrived after a backup is nobody's when that is restored.
  const older = await stack.rows();
  expect(await follows(() => stack.load([shelfReceipt(image(5), 'HONEY 6.00')]))).toBe(1);
  await restore(older);
  expect(await expectRepaired(stack, { store_has_gone: 6 })).toBe(0);
});
