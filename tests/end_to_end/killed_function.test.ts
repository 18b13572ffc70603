import { beforeEach, describe, expect, it } from 'vitest';
import { expectRunFailed } from '../support/failed_run.ts';
import { expectInvariants } from '../support/invariants.ts';
import { nth, type ProcessReceiptRequest } from '../support/observed_requests.ts';
import { sharing } from '../support/shared_stacks.ts';
import { embeddableCount, smallReceipt, smallReceipts } from '../support/stack_receipts.ts';
import { FUNCTIONS, TestStack } from '../support/test_stack.ts';

let stack: TestStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

beforeEach(async () => {
  await stack.reset();
  // A cold start reads the API key again.
  stack.killEnvironments(FUNCTIONS.process);
});

type Moment = 'before' | 'after';

/**
 * A request of the function's, the moment of its death, and what exists of the receipt then. What a death leaves behind before
 * a request is what one leaves after the request before it; reading leaves nothing.
 */
const DEATHS: readonly [ProcessReceiptRequest, number | 'last', Moment, 'nothing' | 'recorded'][] =
  [
    ['the API key', 1, 'before', 'nothing'],
    ['the earlier runs', 1, 'after', 'nothing'],
    ['a delta', 1, 'after', 'nothing'],
    ['a delta', 2, 'after', 'nothing'],
    ['the record', 1, 'after', 'recorded'],
    ['a status', 1, 'after', 'recorded'],
    ['a status', 'last', 'after', 'recorded'],
  ];

describe('a function that dies while it processes a receipt', () => {
  it.each(DEATHS)(
    'at %s (number %s), %s it is done, loses and doubles nothing',
    async (kind, number, moment, left) => {
      const receipt = smallReceipt();
      await stack.load([receipt]);
      const n = number === 'last' ? embeddableCount(receipt) : number;
      stack.breakAws({ when: nth(kind, n), kill: true, moment, times: 1 });

      const { execution, summary } = await stack.run();

      expect(execution.status).toBe('FAILED');
      expect(summary).toMatchObject({ total: 1, succeeded: 0, failed: 1 });
      expect(summary.failures).toStrictEqual([
        {
          image_id: receipt.receipt.image_id,
          receipt_id: receipt.receipt.receipt_id,
          error: 'Runtime.ExitError',
          cause: 'Error: Runtime exited with error: signal: killed',
        },
      ]);
      expect(await stack.rowsOfType('COMPACTION_RUN')).toHaveLength(left === 'recorded' ? 1 : 0);
      await expectInvariants(stack, summary.failures);

      const [again, requests] = await stack.countingRequests(() => stack.run());

      expect(again.summary).toMatchObject({
        total: 1,
        succeeded: left === 'recorded' ? 0 : 1,
        reused: left === 'recorded' ? 1 : 0,
        failed: 0,
      });
      expect(requests).toBe(left === 'recorded' ? 0 : 1);
      expect(stack.deltaKeys()).toHaveLength(2);
      expect(await stack.rowsOfType('COMPACTION_RUN')).toHaveLength(1);
      await expectInvariants(stack);
    },
  );

  it('during its OpenAI request is listed, and the rerun of what is NONE does the rest', async () => {
    await stack.load([smallReceipt()]);
    stack.breakOpenAI({
      cut: true,
      times: 1,
      when: () => {
        stack.killEnvironments(FUNCTIONS.process);
        return true;
      },
    });

    const { summary } = await stack.run();

    expect(summary.failures.map(({ error }) => error)).toStrictEqual(['Runtime.ExitError']);
    expect(stack.deltaKeys()).toStrictEqual([]);
    await expectInvariants(stack, summary.failures);

    const again = await stack.run({ filter_by_embedding_status: 'NONE' });

    expect(again.summary).toMatchObject({ total: 1, succeeded: 1, failed: 0 });
    await expectInvariants(stack);
  });

  it('takes no other receipt with it', async () => {
    await stack.load(smallReceipts(4));
    stack.breakAws({ when: nth('a delta'), kill: true, moment: 'after', times: 1 });

    const { summary } = await stack.run();

    expect(summary).toMatchObject({ total: 4, succeeded: 3, failed: 1 });
    await expectInvariants(stack, summary.failures);

    const again = await stack.run({ filter_by_embedding_status: 'NONE' });

    expect(again.summary).toMatchObject({ total: 1, succeeded: 1 });
    expect(await stack.rowsOfType('COMPACTION_RUN')).toHaveLength(4);
    await expectInvariants(stack);
  });
});

describe('a function that dies around the receipts', () => {
  it.each(['before', 'after'] as const)(
    'while it writes the list (%s) fails the execution; the next one does all',
    async (moment) => {
      await stack.load(smallReceipts(2));
      stack.breakAws({
        when: ({ functionName, service }) => functionName === FUNCTIONS.find && service === 's3',
        kill: true,
        moment,
        times: 1,
      });

      expect(expectRunFailed(await stack.local.execute({})).error).toBe('Runtime.ExitError');
      expect(await stack.rowsOfType('COMPACTION_RUN')).toStrictEqual([]);

      expect((await stack.run()).summary).toMatchObject({ total: 2, succeeded: 2 });
      await expectInvariants(stack);
    },
  );

  it('while it adds up fails the execution, but the receipts are embedded and the next one pays nothing', async () => {
    await stack.load(smallReceipts(2));
    stack.breakAws({
      when: ({ functionName }) => functionName === FUNCTIONS.summarize,
      kill: true,
      moment: 'before',
      times: 1,
    });

    expect(expectRunFailed(await stack.local.execute({})).error).toBe('Runtime.ExitError');
    await expectInvariants(stack);

    const [again, requests] = await stack.countingRequests(() => stack.run());

    expect(again.summary).toMatchObject({ total: 2, reused: 2 });
    expect(requests).toBe(0);
  });
});
