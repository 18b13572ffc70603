import type { BatchScript, BatchState } from 'vendor-stand-ins/openai/batch_script';
import { beforeEach, describe, expect, it } from 'vitest';
import { expectBatchInvariants } from '../support/batch_invariants.ts';
import { BatchStack } from '../support/batch_stack.ts';
import { sharing } from '../support/shared_stacks.ts';
import { runStatus, shownStatus } from '../support/stack_commands.ts';
import { receiptOfLines } from '../support/stack_receipts.ts';

const LONG_AGO = '2025-01-01T00:00:00.000+00:00';

let stack: BatchStack;

sharing.beforeAll(({ usual }) => {
  stack = usual;
});

beforeEach(async () => {
  await stack.reset();
});

/** Loads one receipt of four lines, and submits them as one batch. */
async function submitFourLines(): Promise<void> {
  await stack.load([receiptOfLines('MILK 3.99', 'BREAD 2.50', 'EGGS 4.10', 'TOTAL 10.59')]);
  expect(await stack.submit()).toMatchObject({ total: 1, submitted: 1, requested: 4, failed: 0 });
}

interface End {
  readonly script: BatchScript;
  /** Of the four lines. */
  readonly counts: {
    readonly succeeded: number;
    readonly failed: number;
    readonly released: number;
  };
  readonly status: string;
  readonly reason?: string;
}

const ENDS: Record<string, End> = {
  completed: {
    script: {},
    status: 'COMPLETED',
    counts: { succeeded: 4, failed: 0, released: 0 },
  },
  'completed with only an error file, its inputs refused': {
    script: { otherwise: 'refused' },
    status: 'COMPLETED',
    counts: { succeeded: 0, failed: 4, released: 0 },
  },
  'completed with only an error file, of server errors': {
    script: { otherwise: 'server_error' },
    status: 'COMPLETED',
    counts: { succeeded: 0, failed: 0, released: 4 },
    reason: 'UpstreamUnavailable (500): OpenAI failed (rows: 4)',
  },
  'completed, some of its rows refused for the account’s fault': {
    script: {
      rows: (_, at) =>
        at < 3 ? { status: 429, code: 'insufficient_quota', type: 'insufficient_quota' } : 'ok',
    },
    status: 'COMPLETED',
    counts: { succeeded: 1, failed: 0, released: 3 },
    reason:
      'QuotaExhausted (429, insufficient_quota): the account has no quota left; check its plan and billing (rows: 3)',
  },
  'completed without any file': {
    script: { otherwise: 'missing' },
    status: 'COMPLETED',
    counts: { succeeded: 0, failed: 0, released: 4 },
    reason: 'it has no output',
  },
  'failed with errors': {
    script: {
      end: 'failed',
      errors: [
        { code: 'invalid_json_line', message: 'Line 2 is not valid JSON.', line: 2 },
        { code: 'token_limit_exceeded', message: 'Enqueued token limit reached.' },
      ],
    },
    status: 'FAILED',
    counts: { succeeded: 0, failed: 0, released: 4 },
    reason:
      'InvalidRequest (invalid_json_line, line 2): a line of the batch’s input file is no JSON; RateLimited (token_limit_exceeded): the account’s queue of batches is full; submit again once others have ended, or lower batch_max_tokens',
  },
  'expired with a partial output and an error file': {
    script: { end: 'expired', rows: (_, at) => (['ok', 'refused'] as const)[at] },
    status: 'EXPIRED',
    counts: { succeeded: 1, failed: 1, released: 2 },
  },
  'expired with a partial output alone': {
    script: { end: 'expired', rows: (_, at) => (at < 3 ? 'ok' : 'missing') },
    status: 'EXPIRED',
    counts: { succeeded: 3, failed: 0, released: 1 },
  },
  'expired before anything was done': {
    script: { end: 'expired' },
    status: 'EXPIRED',
    counts: { succeeded: 0, failed: 0, released: 4 },
  },
  'cancelled with a partial output': {
    script: { end: 'cancelled', rows: (_, at) => (at < 2 ? 'ok' : undefined) },
    status: 'CANCELLED',
    counts: { succeeded: 2, failed: 0, released: 2 },
  },
  'cancelled without any file': {
    script: { end: 'cancelled', otherwise: 'missing' },
    status: 'CANCELLED',
    counts: { succeeded: 0, failed: 0, released: 4 },
  },
  'unknown to OpenAI': {
    script: { gone: true },
    status: 'FAILED',
    counts: { succeeded: 0, failed: 0, released: 4 },
    reason: 'OpenAI knows no batch',
  },
};

describe('a batch that OpenAI ends', () => {
  it.each(Object.entries(ENDS))(
    '%s is recorded so, with each line embedded, failed or returned to NONE',
    async (_, { script, status, counts, reason }) => {
      await submitFourLines();
      stack.script(script);
      // A 404 is believed only past the batch's expiry.
      const { batch_id } = await stack.batch();
      await stack.updateBatch(batch_id, { submitted_at: LONG_AGO });

      const summary = await stack.poll();

      const { succeeded, failed, released } = counts;
      expect(summary).toMatchObject({
        total: 1,
        completed: 1,
        running: 0,
        failed: 0,
        requested: 4,
        succeeded,
        rows_failed: failed,
        released,
      });
      const batch = await stack.batch();
      expect(batch).toMatchObject({ status, requested: 4, ...counts });
      expect(batch.reason ?? '').toContain(reason ?? '');
      expect(batch.reason === undefined).toBe(reason === undefined);
      const [atOpenai] = stack.openaiBatches(batch.batch_id);
      expect(batch.result_file_id).toBe(atOpenai?.outputFileId ?? 'N/A');
      expect(batch.error_file_id).toBe(atOpenai?.errorFileId);
      expect(await stack.statuses()).toStrictEqual({
        ...(succeeded === 0 ? {} : { SUCCESS: succeeded }),
        ...(failed === 0 ? {} : { FAILED: failed }),
        ...(released === 0 ? {} : { NONE: released }),
      });
      expect((await stack.vectors()).lines.size).toBe(succeeded);
      await expectBatchInvariants(stack);
      expect(await stack.poll()).toMatchObject({ total: 0 });
      expect(await runStatus(stack, '--no-entities')).toMatchObject({
        batches: {
          with_reason: reason === undefined ? 0 : 1,
          newest_with_reason:
            reason === undefined
              ? []
              : [{ batch_id, status, released, reason: batch.reason, submitted_at: LONG_AGO }],
        },
      });
      if (reason !== undefined) {
        expect(await shownStatus(stack, '--no-entities')).toMatch(
          new RegExp(`${batch_id} ${status} .* UTC\\n +${released} returned to NONE: \\w`),
        );
      }
    },
  );

  it('asks for what is refused, and nobody knows why, in two more batches, then blames the input', async () => {
    const CODE = 'tokens_on_holiday';
    const message = 'It is MILK day.';
    await stack.load([receiptOfLines('MILK 3.99', 'BREAD 2.50')]);
    stack.script({
      rows: (customId) =>
        customId.endsWith('#LINE#00001')
          ? { status: 400, code: CODE, param: null, message, type: 'invalid_request_error' }
          : 'ok',
    });
    const reason = `InvalidRequest (400, ${CODE}): OpenAI refused the request for a reason that is not known here`;

    for (const requested of [2, 1]) {
      expect(await stack.submit()).toMatchObject({ requested });
      await stack.poll();
      expect(await stack.statuses()).toStrictEqual({ NONE: 1, SUCCESS: 1 });
      expect((await stack.batches()).at(-1)).toMatchObject({
        failed: 0,
        released: 1,
        reason: `${reason} (rows: 1)`,
      });
    }
    await stack.submit();
    await stack.poll();

    expect(await stack.statuses()).toStrictEqual({ FAILED: 1, SUCCESS: 1 });
    const last = (await stack.batches()).at(-1);
    expect(last).toMatchObject({ failed: 1, released: 0 });
    expect(last?.reason).toBeUndefined();
    expect((await stack.results(last?.batch_id)).map((row) => row.error_message)).toStrictEqual([
      `${reason}; 3 batches were refused it`,
    ]);
    expect(await stack.submit()).toMatchObject({ total: 0 });
    await expectBatchInvariants(stack);
  });

  it.each([
    ['is too young to have expired', { submitted_at: new Date().toISOString() }],
    ['was made with a key of another project', { submitted_at: '2025-01-01T00:00:00.000+00:00' }],
  ])('keeps its claims when OpenAI knows none and it %s', async (_, changes) => {
    await submitFourLines();
    const { batch_id } = await stack.batch();
    await stack.updateBatch(batch_id, changes);
    // The same key would see its input file, or another batch of ours.
    stack.script({ gone: true });
    for (const on of ['files.retrieve', 'batches.list'] as const) {
      stack.breakOpenAI({ on, status: 401 });
    }

    expect(await stack.poll()).toMatchObject({
      total: 1,
      failed: 1,
      failures_by_reason: { InvalidConfiguration: 1 },
    });
    expect(await stack.statuses()).toStrictEqual({ PENDING: 4 });
    await expectBatchInvariants(stack);

    stack.endFaults();
    expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, succeeded: 4 });
  });

  it('leaves no file at OpenAI once it is ingested', async () => {
    await submitFourLines();
    await stack.poll();

    const { input_file_id, result_file_id } = await stack.batch();
    expect([input_file_id, result_file_id].map((id) => id?.startsWith('file-'))).toStrictEqual([
      true,
      true,
    ]);
    for (const id of [input_file_id, result_file_id]) {
      const answer = await fetch(`${stack.local.openaiAccess.baseURL ?? ''}/files/${id ?? ''}`, {
        headers: { authorization: `Bearer ${stack.local.openaiAccess.apiKey}` },
      });
      expect(answer.status).toBe(404);
    }
  });

  it('returns to NONE what it did not embed, which the next batch asks for, and nothing else', async () => {
    await submitFourLines();
    const end = stack.script({ end: 'expired', rows: (_, at) => (at < 2 ? 'ok' : undefined) });
    await stack.poll();
    end();
    const left = (await stack.entities()).filter(({ status }) => status === 'NONE');

    const again = await stack.submit();
    const polled = await stack.poll();

    expect([again.requested, polled.succeeded]).toStrictEqual([2, 2]);
    const [, second] = await stack.batches();
    expect([...stack.requests(second?.batch_id ?? '').keys()].sort()).toStrictEqual(
      left.map(({ id }) => id).sort(),
    );
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 4 });
    await expectBatchInvariants(stack);
  });

  it('without having embedded anything is followed by one of the same content, under an id of its own', async () => {
    await submitFourLines();
    const end = stack.script({ end: 'expired' });
    await stack.poll();
    end();

    const again = await stack.submit();
    await stack.poll();

    expect(again).toMatchObject({ submitted: 1, dropped: 0, requested: 4 });
    const batches = await stack.batches();
    expect(new Set(batches.map(({ batch_id }) => batch_id)).size).toBe(2);
    expect(batches.map(({ status, succeeded }) => [status, succeeded])).toStrictEqual([
      ['EXPIRED', 0],
      ['COMPLETED', 4],
    ]);
    await expectBatchInvariants(stack);
  });
});

describe('a batch that OpenAI is still at work on', () => {
  const WAYS: [string, NonNullable<BatchScript['stays']>[], BatchState, string][] = [
    ['to its completion', ['validating', 'in_progress', 'finalizing'], 'completed', 'COMPLETED'],
    ['to its cancellation', ['in_progress', 'cancelling'], 'cancelled', 'CANCELLED'],
  ];

  it.each(WAYS)(
    'is polled again on its way %s, with its state on record',
    async (_, way, end, status) => {
      await submitFourLines();
      const { batch_id } = await stack.batch();

      for (const state of way) {
        stack.script({ stays: state });
        expect(await stack.poll()).toMatchObject({ total: 1, running: 1, completed: 0, failed: 0 });
        const batch = await stack.batch();
        expect(batch).toMatchObject({ status: state.toUpperCase() });
        expect(batch.claimed_by).toBeUndefined();
        expect(await stack.statuses()).toStrictEqual({ PENDING: 4 });
        await expectBatchInvariants(stack);
      }
      const [atOpenai] = stack.openaiBatches(batch_id);
      stack.local.openai.batches.advance(atOpenai?.id ?? '', end);

      expect(await stack.poll()).toMatchObject({ total: 1, running: 0, completed: 1 });
      expect(await stack.batch()).toMatchObject({ status, requested: 4 });
      await expectBatchInvariants(stack);
    },
  );
});
