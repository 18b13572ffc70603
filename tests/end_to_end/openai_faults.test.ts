import { serve } from 'embedded-aws/http/server';
import type { Fault } from 'vendor-stand-ins/openai/faults';
import { OpenAIStandIn } from 'vendor-stand-ins/openai/openai_stand_in';
import { beforeEach, describe, expect, it } from 'vitest';
import { expectInvariants } from '../support/invariants.ts';
import { sharing } from '../support/shared_stacks.ts';
import { smallReceipt, smallReceipts } from '../support/stack_receipts.ts';
import { retriesOf } from '../support/state_machine_retries.ts';
import { FUNCTIONS, TestStack } from '../support/test_stack.ts';

let stack: TestStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

beforeEach(async () => {
  await stack.reset();
});

/** What an execution over one receipt costs. */
interface Cost {
  readonly invocations: number;
  readonly requests: number;
}

async function counting<Result>(work: () => Promise<Result>): Promise<[Result, Cost]> {
  const before = stack.invocations(FUNCTIONS.process);
  const [result, requests] = await stack.countingRequests(work);
  return [result, { invocations: stack.invocations(FUNCTIONS.process) - before, requests }];
}

describe('a failure of OpenAI that passes', () => {
  it.each<[string, Fault, times: number, Cost]>([
    ['429 with Retry-After', { status: 429, retryAfter: 1 }, 1, { invocations: 1, requests: 2 }],
    ['500', { status: 500 }, 3, { invocations: 2, requests: 4 }],
    ['a cut connection', { cut: true }, 3, { invocations: 2, requests: 4 }],
    ['a vector too few', { wrongCount: -1 }, 1, { invocations: 2, requests: 2 }],
    ['a vector too many', { wrongCount: 1 }, 1, { invocations: 2, requests: 2 }],
    ['a wrong dimension', { wrongDimension: 512 }, 1, { invocations: 2, requests: 2 }],
    ['a vector of NaN', { nanVector: true }, 1, { invocations: 2, requests: 2 }],
    ['an answer out of order', { shuffle: true }, 1, { invocations: 1, requests: 1 }],
  ])('(%s) is waited for, and the receipt embedded once', async (_, fault, times, cost) => {
    await stack.load([smallReceipt()]);
    stack.breakOpenAI({ ...fault, times });

    const [{ summary }, spent] = await counting(() => stack.run());

    expect(summary).toMatchObject({ total: 1, succeeded: 1, failed: 0, openai_requests: 1 });
    expect(spent).toStrictEqual(cost);
    expect(await stack.rowsOfType('COMPACTION_RUN')).toHaveLength(1);
    expect(stack.deltaKeys()).toHaveLength(2);
    await expectInvariants(stack);
  });
});

const TOO_LARGE =
  'Request too large for text-embedding-3-small on tokens per min (TPM): Limit 40, Requested 90.';

describe('a request that is larger than the account’s limits', () => {
  it('is split until it is taken, and the receipt is embedded', async () => {
    const receipt = smallReceipt();
    await stack.load([receipt]);
    stack.breakOpenAI({
      status: 429,
      code: 'rate_limit_exceeded',
      type: 'tokens',
      message: TOO_LARGE,
      when: ({ inputs }) => inputs.length > 3,
    });

    const { summary } = await stack.run();

    expect(summary).toMatchObject({ total: 1, succeeded: 1, failed: 0 });
    expect(summary.openai_requests).toBeGreaterThan(1);
    await expectInvariants(stack);
  });
});

describe('a failure of OpenAI that stays', () => {
  it.each<[string, Fault, error: string, perInvocation: number, cause: RegExp]>([
    ['429', { status: 429, retryAfter: 0 }, 'RateLimited', 3, /^OpenAI answered 429/],
    ['a vector too few', { wrongCount: -1 }, 'UpstreamUnavailable', 1, /vectors for \d+ inputs$/],
    ['a wrong dimension', { wrongDimension: 512 }, 'UpstreamUnavailable', 1, /512 dimensions/],
    [
      'no quota',
      { status: 429, code: 'insufficient_quota' },
      'QuotaExhausted',
      1,
      /check its plan and billing/,
    ],
    [
      'no quota, by its type alone',
      { status: 429, type: 'insufficient_quota', code: null, message: 'no' },
      'QuotaExhausted',
      1,
      /check its plan and billing/,
    ],
    [
      'billing that is not active',
      { status: 429, type: 'billing_not_active', code: 'billing_not_active' },
      'QuotaExhausted',
      1,
      /billing is not active/,
    ],
    [
      'access that was ended',
      { status: 429, code: 'access_terminated' },
      'InvalidConfiguration',
      1,
      /ask OpenAI/,
    ],
  ])(
    '(%s) is retried as often as the state machine says, then listed, and the rerun embeds',
    async (_, fault, error, perInvocation, cause) => {
      const receipt = smallReceipt();
      const { image_id, receipt_id } = receipt.receipt;
      await stack.load([receipt]);
      stack.breakOpenAI(fault);

      const [{ execution, summary }, spent] = await counting(() => stack.run());

      expect(execution).toMatchObject({ status: 'FAILED', error: 'TooManyFailed' });
      expect(summary).toMatchObject({ total: 1, failed: 1 });
      expect(summary.failures).toStrictEqual([
        { image_id, receipt_id, error, cause: expect.stringMatching(cause) as string },
      ]);
      const invocations = 1 + retriesOf(stack, error);
      expect(spent).toStrictEqual({ invocations, requests: invocations * perInvocation });
      expect(stack.deltaKeys()).toStrictEqual([]);
      expect(await stack.rowsOfType('COMPACTION_RUN')).toStrictEqual([]);
      await expectInvariants(stack, summary.failures);

      stack.endFaults();

      expect((await stack.run({ filter_by_embedding_status: 'NONE' })).summary).toMatchObject({
        total: 1,
        succeeded: 1,
      });
      await expectInvariants(stack);
    },
  );

  it('(no quota) ends a run that no other receipt can bring to success, and says how many were not tried', async () => {
    await stack.load(smallReceipts(40));
    stack.breakOpenAI({ status: 429, code: 'insufficient_quota' });

    const [{ execution, summary }, { requests }] = await counting(() => stack.run());

    expect(execution).toMatchObject({ status: 'FAILED', error: 'StoppedEarly' });
    // More than 10 failed; those that were under way then, three at a time, are not counted as tried.
    expect(summary).toMatchObject({ total: 40, succeeded: 0, failed: 11, not_tried: 29 });
    expect(summary.stopped).toMatch(
      /^ended early, 29 were not tried, .*QuotaExhausted: .*billing$/,
    );
    expect(requests).toBeLessThanOrEqual(11 + 2);

    // Those that were under way are stopped in their executions only: mended, they would embed their receipts.
    await expect.poll(() => stack.local.aws.invocations.running.size, { timeout: 10_000 }).toBe(0);
    stack.endFaults();

    const { summary: rerun } = await stack.run();
    expect(rerun).toMatchObject({
      total: 40,
      succeeded: 40,
      reused: 0,
      failures: [],
      not_tried: 0,
    });
    await expectInvariants(stack);
  });

  it('for some receipts fails these alone', async () => {
    const receipts = smallReceipts(4);
    const unlucky = receipts.slice(0, 2);
    await stack.load(receipts);
    stack.breakOpenAI({
      status: 429,
      code: 'insufficient_quota',
      when: ({ inputs }) =>
        unlucky.some(({ lines }) =>
          lines.every(({ text, is_noise }) => is_noise || inputs.includes(text)),
        ),
    });

    const { summary } = await stack.run();

    expect(summary.failures.map(({ image_id }) => image_id).sort()).toStrictEqual(
      receipts
        .slice(0, 2)
        .map(({ receipt }) => receipt.image_id)
        .sort(),
    );
    expect(summary).toMatchObject({ total: 4, succeeded: 2, failed: 2 });
    await expectInvariants(stack, summary.failures);
  });

  it('says in the state machine which errors are worth another try', () => {
    expect(
      ['RateLimited', 'UpstreamUnavailable', 'QuotaExhausted', 'InvalidConfiguration'].map(
        (error) => retriesOf(stack, error),
      ),
    ).toStrictEqual([5, 5, 0, 0]);
  });
});

describe('an API key that OpenAI refuses', () => {
  it('is asked with once a receipt, and named as a matter of configuration', async () => {
    const openai = new OpenAIStandIn({ latencyMs: 0, apiKey: 'sk-another' });
    let asked = 0;
    const server = await serve((request) => {
      asked++;
      return openai.handle(request);
    }, 0);
    const own = await TestStack.start({ config: { openai_base_url: `${server.url}/v1` } });
    try {
      await own.load(smallReceipts(2));

      const { execution, summary } = await own.run();

      expect(execution).toMatchObject({ status: 'FAILED', error: 'TooManyFailed' });
      expect(
        summary.failures.map(({ error, cause }) => [
          error,
          /^OpenAI answered 401 .*check the API key/.test(cause),
        ]),
      ).toStrictEqual([
        ['InvalidConfiguration', true],
        ['InvalidConfiguration', true],
      ]);
      expect(asked).toBe(2);
      expect(own.invocations(FUNCTIONS.process)).toBe(2);
      await expectInvariants(own, summary.failures);
    } finally {
      await own.close();
      await server.close();
    }
  });
});
