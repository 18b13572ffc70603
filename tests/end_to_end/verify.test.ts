import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { embeddedReceiptKey } from 'receipt-embedding/entities/embedded_receipt';
import { receiptPath, type Row, rowKey } from 'receipt-embedding/entities/keys';
import type { VectorMetadata, VectorStore } from 'receipt-embedding/stores/vector_store';
import { localStores } from 'receipts-cli/local_stores';
import { checkReceipt } from 'receipts-cli/verify/check_receipt';
import { beforeEach, describe, expect, it } from 'vitest';
import { BatchStack } from '../support/batch_stack.ts';
import { sharing } from '../support/shared_stacks.ts';
import { shelfReceipt } from '../support/shelf_receipts.ts';
import { emptyPinecone } from '../support/stored_vectors.ts';
import { runReceipts } from '../support/stack_commands.ts';
import {
  countsOf,
  expectRepaired,
  expectVerified,
  interruptedVerification,
  readingPorts,
  runVerify,
  shownVerification,
} from '../support/verified_stack.ts';

// Each kind of difference is made on purpose: it is found and nothing else, repaired without a request to OpenAI, and gone then.

const CORNER = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const SPROUTS = 'a8098c1a-f86e-4da5-8a1c-9a0d4b7ac3f5';
const RECEIPT = { image_id: CORNER, receipt_id: 1 };
const LINE = `${receiptPath(RECEIPT)}#LINE#00001`;
const LAST_LINE = `${receiptPath(RECEIPT)}#LINE#00002`;
const WORD = `${LINE}#WORD#00002`;
const UNKNOWN_BATCH = '7b7e3f3a-1111-4222-8333-000000000009';
/** Of the receipt: 2 lines and 5 words, all in both stores. */
const EMBEDDED = 7;

let stack: BatchStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

beforeEach(async () => {
  await stack.reset();
  await stack.load([
    shelfReceipt(CORNER, 'OAT MILK 3.99', 'TOTAL 3.99'),
    shelfReceipt(SPROUTS, 'BARISTA MILK 4.19'),
  ]);
  await stack.run();
});

function keyOf(id: string) {
  return rowKey(CORNER, id);
}

function pinecone(): VectorStore {
  const store = localStores(stack.local).find(({ name }) => name === 'pinecone');
  if (store === undefined) throw new Error('the stack has no Pinecone');
  return store;
}

/** Writes the vector of the first line into Pinecone, as another. */
async function putChanged(change: {
  readonly id?: string;
  readonly vector?: Float32Array;
  readonly merchant?: string;
}): Promise<void> {
  const [stored] = await pinecone().fetch('lines', [LINE]);
  if (stored === undefined) throw new Error('Pinecone lacks the line');
  const { merchant } = change;
  const metadata = {
    ...stored.metadata,
    ...(merchant === undefined ? {} : { merchant_name: merchant }),
  };
  await pinecone().upsert('lines', [
    { ...stored, ...change, metadata: metadata as unknown as VectorMetadata },
  ]);
}

async function deleteDelta(collection: 'lines' | 'words'): Promise<void> {
  const { aws, bucket } = stack.local;
  for (const Key of stack.keys(`${collection}/`)) {
    if (aws.s3.getObject(bucket, Key)?.metadata['image_id'] !== CORNER) continue;
    await aws.clients.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
  }
}

async function deleteReceipt(image: string): Promise<void> {
  for (const row of await stack.rows()) if (row.PK === `IMAGE#${image}`) await stack.delete(row);
}

async function setStatus(id: string, status: string, owner?: string): Promise<void> {
  await stack.update(keyOf(id), {
    embedding_status: status,
    GSI1PK: `EMBEDDING_STATUS#${status}`,
    ...(owner === undefined ? {} : { embedding_batch_id: owner }),
  });
}

/** As a backup is restored: every row is as it was, and no row is new. */
async function restore(rows: readonly Row[]): Promise<void> {
  for (const row of await stack.rows()) await stack.delete(row);
  for (const row of rows) await stack.put(row);
}

describe('what a run has left', () => {
  it('differs in nothing, whichever path it was', async () => {
    await expectVerified(stack);

    await stack.load([shelfReceipt('5b7e3f3a-1111-4222-8333-000000000001', 'RYE BREAD 4.50')]);
    await stack.submit();
    await expectVerified(stack);
    await stack.pollUntilDone();
    await expectVerified(stack);
  });
});

describe('what differs, is found by its kind, and repaired without OpenAI', () => {
  it.each([
    ['lacks a vector', () => pinecone().remove('lines', [LINE]), { store_lacks: 1 }],
    [
      'has another vector',
      () => putChanged({ vector: new Float32Array(64).fill(0.125) }),
      { store_differs: 1 },
    ],
    ['has other metadata', () => putChanged({ merchant: 'Elsewhere' }), { store_differs: 1 }],
    [
      'has a vector of what is gone',
      () => putChanged({ id: `${receiptPath(RECEIPT)}#LINE#00099` }),
      { store_has_gone: 1 },
    ],
    [
      'was emptied by hand',
      () => emptyPinecone(stack.local.pineconeAccess),
      { store_lacks: EMBEDDED + 4 },
    ],
  ])('a store that %s', async (_, breakIt, expected) => {
    await breakIt();

    expect(await expectRepaired(stack, expected)).toBe(0);
  });

  it('a label that has changed since', async () => {
    const label = (await stack.rowsOfType('RECEIPT_WORD_LABEL')).find(
      ({ PK }) => PK === `IMAGE#${CORNER}`,
    );
    if (label === undefined) throw new Error('there is no label');
    await stack.update(label, { validation_status: 'INVALID' });

    expect(await expectRepaired(stack, { success_of_other_metadata: 1 })).toBe(0);
    const [stored] = await pinecone().fetch('words', [WORD]);
    expect(stored?.metadata['invalid_labels']).toStrictEqual(['PRODUCT_NAME']);
  });

  it('a record that is lost: the log has what it was of', async () => {
    await stack.delete(embeddedReceiptKey(RECEIPT));

    expect(await expectRepaired(stack, { success_without_vector: EMBEDDED })).toBe(0);
  });

  it('a text that has changed since is NONE then, and the next run embeds it alone', async () => {
    await stack.update(keyOf(LAST_LINE), { text: 'TOTAL 4.99' });
    const before = await runVerify(stack, '--full');
    expect(countsOf(before.found)).toStrictEqual({
      success_of_other_text: 1,
      success_of_other_metadata: 1,
    });

    expect(
      await expectRepaired(stack, { success_of_other_text: 1, success_of_other_metadata: 1 }),
    ).toBe(1);
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: EMBEDDED + 3, NONE: 1 });
    await stack.run({ filter_by_embedding_status: 'NONE' });
    await expectVerified(stack);
  });

  it('a delta that is missing: what only it had is NONE then, and the rest is still in the stores', async () => {
    await deleteDelta('lines');
    await pinecone().remove('words', [WORD]);

    const expected = { delta_missing: 1, success_without_vector: 2, store_lacks: 1 };
    expect(await expectRepaired(stack, expected)).toBe(2);

    expect(await pinecone().fetch('words', [WORD])).toHaveLength(1);
    const [, requests] = await stack.countingRequests(() =>
      stack.run({ filter_by_embedding_status: 'NONE' }),
    );
    expect([requests > 0, await stack.statuses()]).toStrictEqual([true, { SUCCESS: EMBEDDED + 4 }]);
    await expectVerified(stack);
  });

  it('PENDING that no batch has claimed', async () => {
    await setStatus(LINE, 'PENDING', UNKNOWN_BATCH);

    expect(await expectRepaired(stack, { pending_without_batch: 1 })).toBe(1);
    const [, requests] = await stack.countingRequests(() => stack.run());
    expect([requests, await stack.statuses()]).toStrictEqual([0, { SUCCESS: EMBEDDED + 4 }]);
  });

  it("a batch's name beside another status", async () => {
    await setStatus(LINE, 'SUCCESS', UNKNOWN_BATCH);

    expect(await expectRepaired(stack, { claim_beside_status: 1 })).toBe(0);
  });

  it('a mark of a writer who died', async () => {
    const marks = { 'request-of-the-dead': '2025-03-01T10:00:00.000+00:00' };
    await stack.update(embeddedReceiptKey(RECEIPT), { marks });

    expect(await expectRepaired(stack, { dead_mark: 1 })).toBe(0);
  });

  it('a receipt that is gone', async () => {
    await deleteReceipt(CORNER);

    const expected = { store_has_gone: 2 * EMBEDDED, receipt_gone: 1 };
    expect(await expectRepaired(stack, expected)).toBe(0);
  });

  it('a table that was restored from a backup', async () => {
    const backup = await stack.rows();
    const later = '5b7e3f3a-1111-4222-8333-000000000001';
    await stack.load([shelfReceipt(later, 'RYE BREAD 4.50')]);
    await setStatus(LAST_LINE, 'NONE');
    await stack.update(keyOf(LAST_LINE), { text: 'TOTAL 4.99' });
    await stack.run();
    await expectVerified(stack);

    await restore(backup);

    // The edited line and what quotes it, in both stores; the 4 vectors of the later receipt, in both.
    expect(await expectRepaired(stack, { store_differs: 4, store_has_gone: 8 })).toBe(0);
  });
});

describe('what is no difference', () => {
  it('FAILED without a reason is told, and no fault', async () => {
    await setStatus(LINE, 'FAILED');

    const { exit, found } = await runVerify(stack, '--full', '--repair', '--yes');

    expect([exit, countsOf(found)]).toStrictEqual([0, { failed_without_reason: 1 }]);
  });

  it('nothing can be said of a receipt that is being written', async () => {
    await pinecone().remove('lines', [LINE]);
    await stack.update(embeddedReceiptKey(RECEIPT), {
      marks: { 'request-at-work': new Date().toISOString() },
    });

    const { exit, found, ...counts } = await runVerify(stack, '--full');

    expect([exit, found, counts]).toMatchObject([0, [], { compared: 2, busy: 1 }]);
  });

  it('what a store shows late is looked at once more', async () => {
    const ports = await readingPorts(stack);
    let fetched = 0;
    const stores = ports.stores.map((opened) => ({
      ...opened,
      store: new Proxy(opened.store, {
        get: (store, name: keyof VectorStore) =>
          name === 'fetch'
            ? (...[of, ids]: Parameters<VectorStore['fetch']>) =>
                fetched++ === 0 ? Promise.resolve([]) : store.fetch(of, ids)
            : (store[name] as unknown as () => unknown).bind(store),
      }),
    }));

    const { differences } = await checkReceipt({ receipt: RECEIPT }, { ...ports, stores });

    expect([differences, fetched > 1]).toStrictEqual([[], true]);
  });
});

describe('receipts verify', () => {
  it('compares a sample that can be had again, and says which it was', async () => {
    await emptyPinecone(stack.local.pineconeAccess);

    const { compared, seed, found } = await runVerify(stack, '--sample', '1');
    const again = await runVerify(stack, '--sample', '1', '--seed', seed ?? '');

    expect(compared).toBe(1);
    expect(again.found).toStrictEqual(found);
  });

  it('says how to go on when it is stopped, and goes on there', async () => {
    const { exit, stdout } = await interruptedVerification(stack, /1 compared/, '--full');
    const [, after = ''] = /--full --after '(.*)'/.exec(stdout) ?? [];

    expect([exit, after]).toStrictEqual([130, expect.stringMatching(/^IMAGE#.*#RECEIPT#00001$/)]);
    const { compared } = await runVerify(stack, '--full', '--after', after);
    expect(compared).toBe(1);
  });

  it('repairs beside an execution that changes the same receipts', async () => {
    await emptyPinecone(stack.local.pineconeAccess);
    await stack.update(keyOf(LAST_LINE), { text: 'TOTAL 4.99' });

    await Promise.all([stack.run(), runVerify(stack, '--full', '--repair', '--yes')]);

    // Whoever came first, one of the two has done the rest.
    await stack.run();
    await expectVerified(stack);
  });

  it('changes nothing where there is nobody to ask, and prints keys alone', async () => {
    await pinecone().remove('lines', [LINE]);
    const rows = await stack.rows();

    const asked = await shownVerification(stack, '--full', '--repair');
    const { exit, stdout } = await shownVerification(stack, '--full');

    expect([asked.exit, asked.stderr]).toStrictEqual([2, expect.stringContaining('--yes')]);
    expect(await stack.rows()).toStrictEqual(rows);
    expect([exit, stdout]).toStrictEqual([1, expect.stringContaining(LINE)]);
    expect(stdout).not.toMatch(/MILK|3\.99/);
  });

  it('is a program that finds the stack by its environment', async () => {
    await pinecone().remove('lines', [LINE]);

    const { exit, stdout } = await runReceipts(stack, 'verify', '--repair', '--yes');

    expect([exit, stdout]).toStrictEqual([0, expect.stringMatching(/store_lacks +1 [^]*Repaired/)]);
    await expectVerified(stack);
  });
});
