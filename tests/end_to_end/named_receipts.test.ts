import { beforeEach, describe, expect, it } from 'vitest';
import { expectInvariants } from '../support/invariants.ts';
import { sharing } from '../support/shared_stacks.ts';
import { smallReceipts } from '../support/stack_receipts.ts';
import type { TestStack } from '../support/test_stack.ts';

let stack: TestStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

const receipts = smallReceipts(3);
const named = receipts.map(({ receipt: { image_id, receipt_id } }) => ({ image_id, receipt_id }));

beforeEach(async () => {
  await stack.reset();
  await stack.load(receipts);
});

describe('an execution that names its receipts', () => {
  it('embeds these and no others, each once', async () => {
    const [{ summary }, requests] = await stack.countingRequests(() =>
      stack.run({ receipts: [named[2], named[0], named[2]] }),
    );

    expect(summary).toMatchObject({ total: 2, succeeded: 2, failed: 0 });
    expect(requests).toBe(2);
    const embedded = (await stack.rowsOfType('COMPACTION_RUN')).map(({ PK }) => PK);
    expect(embedded.sort()).toStrictEqual(
      [named[0], named[2]].map((receipt) => `IMAGE#${receipt?.image_id ?? ''}`).sort(),
    );
  });

  it('follows an edit and a delete of them', async () => {
    await stack.run();
    const rows = await stack.rows();
    const gone = `IMAGE#${named[1]?.image_id ?? ''}`;
    for (const row of rows.filter(({ PK, TYPE }) => PK === gone && TYPE !== 'EMBEDDED_RECEIPT')) {
      await stack.delete(row);
    }
    const word = rows.find(
      ({ PK, TYPE, is_noise }) =>
        PK === `IMAGE#${named[0]?.image_id ?? ''}` && TYPE === 'RECEIPT_WORD' && is_noise === false,
    );
    if (word === undefined) throw new Error('no receipt has a word');
    await stack.update(word, { text: 'CORRECTED' });

    const [{ summary }, requests] = await stack.countingRequests(() =>
      stack.run({ receipts: named }),
    );

    expect(summary).toMatchObject({ total: 3, succeeded: 1, failed: 0 });
    expect(requests).toBe(1);
    await expectInvariants(stack);
  });

  it('is not harmed by one that there is not', async () => {
    const nobody = { image_id: '00000000-0000-4000-8000-000000000000', receipt_id: 1 };

    const { summary } = await stack.run({ receipts: [nobody, named[0]] });

    expect(summary).toMatchObject({ total: 2, succeeded: 1, failed: 0 });
  });

  it('is refused with a filter, before anything is embedded', async () => {
    const { status, cause = '' } = await stack.local.execute({
      receipts: named,
      filter_by_embedding_status: 'NONE',
    });

    expect(status).toBe('FAILED');
    expect(cause).toContain('filter_by_embedding_status: it can not go with receipts');
  });
});
