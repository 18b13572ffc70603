import { beforeEach, describe, expect, it } from 'vitest';
import { expectRunFailed } from '../support/failed_run.ts';
import { expectInvariants } from '../support/invariants.ts';
import { nth, type ProcessReceiptRequest } from '../support/observed_requests.ts';
import { sharing } from '../support/shared_stacks.ts';
import { smallReceipt, smallReceipts } from '../support/stack_receipts.ts';
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

/** `halfway`: after some of a batch of statements. */
type Moment = 'before' | 'after' | 'halfway';

/** `bought`: everything is in the log, which no record tells yet. `ordered`: the compactor knows of it, too. */
type Left = 'nothing' | 'bought' | 'recorded' | 'ordered';

/**
 * A request of the function's, the moment of its death, and what exists of the receipt then. What a death leaves behind before
 * a request is what one leaves after the request before it; reading leaves nothing.
 */
const DEATHS: readonly [ProcessReceiptRequest, number, Moment, Left][] = [
  ['the API key', 1, 'before', 'nothing'],
  ['the record', 1, 'after', 'nothing'],
  ['a delta', 1, 'after', 'nothing'],
  ['a delta', 2, 'after', 'bought'],
  ['the run', 1, 'after', 'recorded'],
  ['the order', 1, 'after', 'ordered'],
  ['the vectors', 1, 'after', 'ordered'],
  ['the vectors', 2, 'after', 'ordered'],
  ['the run', 2, 'after', 'ordered'],
  ['a status', 1, 'halfway', 'ordered'],
  ['a status', 1, 'after', 'ordered'],
];

describe('a function that dies while it processes a receipt', () => {
  it.each(DEATHS)(
    'at %s (number %s), %s it is done, loses and doubles nothing',
    async (kind, n, moment, left) => {
      const receipt = smallReceipt();
      await stack.load([receipt]);
      const death = moment === 'halfway' ? ({ moment: 'after', executed: 3 } as const) : { moment };
      stack.breakAws({ when: nth(kind, n), kill: true, ...death, times: 1 });

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
      expect(await stack.rowsOfType('COMPACTION_RUN')).toHaveLength(left === 'ordered' ? 1 : 0);
      await expectInvariants(stack, summary.failures);

      const [again, requests] = await stack.countingRequests(() => stack.run());

      expect(again.summary).toMatchObject({
        total: 1,
        succeeded: left === 'nothing' || left === 'bought' ? 1 : 0,
        reused: left === 'nothing' || left === 'bought' ? 0 : 1,
        failed: 0,
      });
      expect(requests).toBe(left === 'nothing' ? 1 : 0);
      expect(stack.deltaKeys()).toHaveLength(2);
      expect(await stack.rowsOfType('COMPACTION_RUN')).toHaveLength(1);
      await expectInvariants(stack);
    },
  );

  it('leaves its mark until it can’t be alive any more, and then the stores are written once more', async () => {
    const receipt = smallReceipt();
    await stack.load([receipt]);
    stack.breakAws({ when: nth('the vectors'), kill: true, moment: 'after', times: 1 });
    await stack.run();
    await stack.run();
    const [record] = await stack.rowsOfType('EMBEDDED_RECEIPT');
    if (record === undefined) throw new Error('expected a record');
    const [writer = '', ...others] = Object.keys(record['marks'] ?? {});
    expect([writer === '', others]).toStrictEqual([false, []]);

    await stack.update(record, { marks: { [writer]: '2025-01-01T00:00:00.000+00:00' } });
    const again = await stack.run();

    expect(again.summary).toMatchObject({ reused: 1, failed: 0, openai_requests: 0 });
    const [now] = await stack.rowsOfType('EMBEDDED_RECEIPT');
    expect(now?.['marks']).toStrictEqual({});
    await expectInvariants(stack);
    const rows = await stack.rows();
    await stack.run();
    expect(await stack.rows()).toStrictEqual(rows);
  });

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
