import type { BatchSummary } from 'receipt-embedding/entities/batch';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SubmitBatchOutput } from '../../simple_lambdas/submit_batch/submit_batch.ts';
import type {
  PollSummary,
  SubmitSummary,
} from '../../simple_lambdas/summarize_execution/summary_schemas.ts';
import { type Death, letDie } from '../support/batch_deaths.ts';
import { expectBatchInvariants } from '../support/batch_invariants.ts';
import { BATCH_FUNCTIONS, BatchStack } from '../support/batch_stack.ts';
import { sharing } from '../support/shared_stacks.ts';
import { lineReceipts } from '../support/stack_receipts.ts';

/** Lines of a receipt. They fill a batch, so that what a death leaves unclaimed of one receipt is never planned with another. */
const LINES = 3;

/** An execution that failed because one of its functions was killed. */
const KILLED = {
  status: 'FAILED',
  error: 'RunFailed',
  cause: expect.stringContaining('"Error":"Runtime.ExitError"') as unknown,
};

let stack: BatchStack;

sharing.beforeAll(({ smallBatches }) => {
  stack = smallBatches;
});

/** What the batch of a submission that died here becomes when later executions find it. */
type Fate = 'submitted' | 'given up' | 'adopted';

/** What a death leaves behind before a step is what one leaves after the step before it. */
const SUBMIT_DEATHS: readonly (Death & { readonly fate: Fate })[] = [
  { at: 'submit: the record', moment: 'after', fate: 'submitted' },
  { at: 'submit: a claim', moment: 'halfway', fate: 'given up' },
  { at: 'submit: a claim', moment: 'after', fate: 'given up' },
  { at: 'submit: the requests', moment: 'after', fate: 'given up' },
  { at: 'submit: their number', moment: 'after', fate: 'given up' },
  { at: 'submit: the upload', moment: 'after', fate: 'given up' },
  { at: 'submit: the file’s id', moment: 'after', fate: 'given up' },
  { at: 'submit: the time of the creation', moment: 'after', fate: 'given up' },
  { at: 'submit: the creation', moment: 'after', fate: 'adopted' },
  { at: 'submit: the batch’s id', moment: 'after', fate: 'adopted' },
];

describe('submissions that die, each at another of its steps,', () => {
  let scene: DeadSubmissions;

  describe('and are tried again by the same execution', () => {
    const outputs: SubmitBatchOutput[] = [];
    let polled: PollSummary;

    beforeAll(async () => {
      scene = await dieSubmitting(SUBMIT_DEATHS);
      await passTime(['creating_since', 'claim_expires_at']);
      const execution_name = /^submits\/([^/]+)\//.exec(scene.summary.results?.key ?? '')?.[1];
      const [{ submitted_by: execution_id } = {}] = await stack.batches();
      for (const batch_id of scene.ids) {
        outputs.push(
          await invokeSubmit({
            batch_id,
            batch_type: 'LINE_EMBEDDING',
            execution_name,
            execution_id,
          }),
        );
      }
      polled = await stack.poll();
    });

    it('are listed as dead, and nothing else is', () => {
      expectListed(scene);
    });

    it.each(SUBMIT_DEATHS.map(({ moment, at, nth = 1 }, turn) => [moment, at, nth, turn] as const))(
      '(%s %s, number %s) make one batch at OpenAI',
      (moment, step, _, turn) => {
        const id = scene.ids[turn] ?? '';
        const atOpenai = stack.openaiBatches(id);
        expect(atOpenai).toHaveLength(1);
        const alreadyThere =
          step === 'submit: the batch’s id' ||
          (step === 'submit: the creation' && moment === 'after');
        expect(outputs[turn]).toStrictEqual({
          status: 'submitted',
          batch_id: id,
          batch_type: 'LINE_EMBEDDING',
          openai_batch_id: atOpenai[0]?.id,
          requested: LINES,
          adopted: alreadyThere,
        });
      },
    );

    it('are embedded once, all of them', async () => {
      const lines = scene.ids.length * LINES;
      expect(polled).toMatchObject({
        total: scene.ids.length,
        completed: scene.ids.length,
        requested: lines,
        succeeded: lines,
        released: 0,
      });
      await expectEmbeddedOnce(scene);
    });
  });

  describe('and are left to later executions', () => {
    const deaths = SUBMIT_DEATHS.filter(({ moment }) => moment !== 'before');
    let batches: ReadonlyMap<string, BatchSummary>;

    beforeAll(async () => {
      scene = await dieSubmitting(deaths);
      await expectBatchInvariants(stack);
      await passTime(['creating_since', 'submitted_at', 'claim_expires_at']);
      // What nobody has claimed is submitted now; the rest is taken care of by the poll, and submitted then.
      for (let round = 0; round < 2; round++) {
        await stack.submit({ entity: 'lines' });
        await expectBatchInvariants(stack);
        await stack.poll();
        await expectBatchInvariants(stack);
      }
      batches = new Map((await stack.batches()).map((batch) => [batch.batch_id, batch]));
    });

    it('are listed as dead, and nothing else is', () => {
      expectListed(scene);
    });

    it.each(deaths.map(({ at, nth = 1, fate }, turn) => [at, nth, fate, turn] as const))(
      '(after %s, number %s) leave a batch that is %s',
      (_, _nth, fate, turn) => {
        const { status, requested, succeeded, released } = batches.get(scene.ids[turn] ?? '') ?? {};
        if (fate === 'given up') {
          expect([status, succeeded]).toStrictEqual(['FAILED', 0]);
          expect(released).toBe(requested);
        } else {
          expect([status, requested, succeeded]).toStrictEqual(['COMPLETED', LINES, LINES]);
        }
      },
    );

    it('are embedded once, all of them', () => expectEmbeddedOnce(scene));
  });
});

interface DeadSubmissions {
  readonly summary: SubmitSummary;
  /** Of the batches, in the order of their deaths. */
  readonly ids: readonly string[];
  /** Rows that OpenAI had embedded before. */
  readonly embeddedBefore: number;
}

async function dieSubmitting(deaths: readonly Death[]): Promise<DeadSubmissions> {
  await stack.reset();
  const embeddedBefore = stack.local.openai.batchUsage.requests;
  const ids: string[] = [];
  await stack.load(lineReceipts(deaths.length, LINES));
  letDie(stack, (batchId) => deaths[ids.push(batchId) - 1]);
  const summary = await stack.submit({ entity: 'lines' });
  stack.endFaults();
  return { summary, ids, embeddedBefore };
}

function expectListed({ summary, ids }: DeadSubmissions): void {
  expect(summary).toMatchObject({
    total: ids.length,
    submitted: 0,
    dropped: 0,
    failed: ids.length,
  });
  expect(summary.failures).toStrictEqual(
    ids.map((batch_id) => ({
      batch_id,
      error: 'Runtime.ExitError',
      cause: 'Error: Runtime exited with error: signal: killed',
    })),
  );
}

async function expectEmbeddedOnce({ ids, embeddedBefore }: DeadSubmissions): Promise<void> {
  const lines = ids.length * LINES;
  expect(await stack.statuses()).toStrictEqual({ SUCCESS: lines });
  expect(stack.local.openai.batchUsage.requests - embeddedBefore).toBe(lines);
  expect((await stack.vectors()).lines.size).toBe(lines);
  expect(await stack.results()).toHaveLength(lines);
  await expectBatchInvariants(stack);
}

const POLL_DEATHS: readonly Death[] = [
  { at: 'poll: the claim', moment: 'before' },
  { at: 'poll: the claim', moment: 'after' },
  { at: 'poll: the result files’ ids', moment: 'after' },
  { at: 'download: the claim', moment: 'after' },
  { at: 'download: a part', moment: 'after' },
  { at: 'log: a delta', moment: 'after' },
  { at: 'log: a record', moment: 'after' },
  { at: 'log: what the stores get', moment: 'after' },
  { at: 'upsert: the vectors in S3', moment: 'before' },
  { at: 'upsert: the vectors in S3', moment: 'after' },
  { at: 'upsert: what S3 refused', moment: 'after' },
  { at: 'upsert: the vectors', moment: 'after' },
  { at: 'write: a record', moment: 'before' },
  { at: 'write: a record', moment: 'after' },
  { at: 'write: a status', moment: 'halfway' },
  { at: 'write: a status', moment: 'after' },
  { at: 'write: the result rows', moment: 'after' },
  { at: 'complete: the end', moment: 'after' },
  { at: 'release: a claim', moment: 'halfway' },
  { at: 'release: the end', moment: 'after' },
];

describe('polls that die, each at another of a batch’s steps,', () => {
  const refused = POLL_DEATHS.filter(({ at }) => at.startsWith('release')).length;
  const ended = POLL_DEATHS.filter(
    ({ at, moment }) => at.endsWith('the end') && moment === 'after',
  );
  let ids: readonly string[];
  let tokensBefore: number;
  let died: PollSummary;
  let again: PollSummary;
  let batches: ReadonlyMap<string, BatchSummary>;

  beforeAll(async () => {
    await stack.reset();
    tokensBefore = stack.local.openai.batchUsage.tokens;
    await stack.load(lineReceipts(POLL_DEATHS.length, LINES));
    await stack.submit({ entity: 'lines' });
    ids = (await stack.batches()).map(({ batch_id }) => batch_id);
    stack.script({ end: 'failed' }, ({ metadata }) =>
      ids.slice(-refused).includes(metadata?.['batch_id'] ?? ''),
    );
    letDie(stack, (batchId) => POLL_DEATHS[ids.indexOf(batchId)]);
    died = await stack.poll();
    again = await stack.poll();
    batches = new Map((await stack.batches()).map((batch) => [batch.batch_id, batch]));
  });

  it('are listed as dead, and nothing else is', () => {
    expect(died).toMatchObject({
      total: POLL_DEATHS.length,
      // Of those that had ended only the answer was lost: the record says what became of them.
      completed: ended.length,
      running: 0,
      failed: POLL_DEATHS.length - ended.length,
    });
    expect(new Set(died.failures.map(({ error }) => error))).toStrictEqual(
      new Set(['Runtime.ExitError']),
    );
  });

  it('are finished by the next poll, but for those that had ended', () => {
    const left = POLL_DEATHS.length - ended.length;
    expect(again).toMatchObject({ total: left, completed: left, failed: 0 });
  });

  it.each(POLL_DEATHS.map(({ moment, at, nth = 1 }, turn) => [moment, at, nth, turn] as const))(
    '(%s %s, number %s) lose nothing of the batch, and count nothing twice',
    async (_, at, _nth, turn) => {
      const batchId = ids[turn] ?? '';
      const released = at.startsWith('release') ? LINES : 0;
      expect(batches.get(batchId)).toMatchObject({
        status: released > 0 ? 'FAILED' : 'COMPLETED',
        requested: LINES,
        succeeded: LINES - released,
        failed: 0,
        released,
      });
      expect(await stack.results(batchId)).toHaveLength(LINES - released);
    },
  );

  it('bring every vector once, and every token into one batch’s count', async () => {
    const embedded = (POLL_DEATHS.length - refused) * LINES;
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: embedded, NONE: refused * LINES });
    expect((await stack.vectors()).lines.size).toBe(embedded);
    const tokens = [...batches.values()].map(({ prompt_tokens = NaN }) => prompt_tokens);
    expect(tokens.reduce((sum, count) => sum + count, 0)).toBe(
      stack.local.openai.batchUsage.tokens - tokensBefore,
    );
    await expectBatchInvariants(stack);
  });
});

describe('a poll that can’t even record its failure', () => {
  it('keeps the batch until its claim expires; the next poll after that finishes it', async () => {
    await stack.reset();
    await stack.load(lineReceipts(1, LINES));
    await stack.submit({ entity: 'lines' });
    letDie(stack, () => ({ at: 'write: a status', moment: 'after' }));
    stack.breakAws({
      when: ({ functionName }) => functionName === 'embedding-record-batch-failure-lambda-dev',
      kill: true,
      moment: 'before',
    });

    const died = await stack.poll();

    expect(died).toMatchObject({ total: 1, failed: 1 });
    stack.endFaults();
    expect(await stack.poll()).toMatchObject({ total: 1, running: 1, completed: 0 });
    await passTime(['claim_expires_at']);
    expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, succeeded: LINES });
    await expectBatchInvariants(stack);
  });
});

describe('a function that dies around the batches', () => {
  beforeEach(async () => {
    await stack.reset();
    await stack.load(lineReceipts(2, LINES));
  });

  it.each([
    ['a plan', 'before', '/plan.jsonl'],
    ['the list of batches', 'after', '/batches.jsonl'],
  ] as const)('while it writes %s (%s) has claimed nothing', async (_, moment, file) => {
    stack.breakAws({
      when: ({ functionName, operation }) =>
        functionName === BATCH_FUNCTIONS.plan &&
        operation.startsWith('PUT ') &&
        operation.endsWith(file),
      kill: true,
      moment,
      times: 1,
    });

    expect(await stack.local.execute({}, 'batchSubmit')).toMatchObject(KILLED);
    expect(await stack.batches()).toStrictEqual([]);
    expect(await stack.statuses()).toStrictEqual({ NONE: 2 * LINES });

    expect(await stack.submit()).toMatchObject({ total: 2, submitted: 2 });
    await expectBatchInvariants(stack);
  });

  it('while it adds up fails its execution, and what is submitted and ingested stays so', async () => {
    stack.breakAws({
      when: ({ functionName }) => functionName === 'embedding-summarize-execution-lambda-dev',
      kill: true,
      moment: 'before',
      times: 2,
    });

    for (const workflow of ['batchSubmit', 'batchPoll'] as const) {
      expect(await stack.local.execute({}, workflow)).toMatchObject(KILLED);
    }

    expect(await stack.submit()).toMatchObject({ total: 0 });
    expect(await stack.poll()).toMatchObject({ total: 0 });
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 2 * LINES });
    await expectBatchInvariants(stack);
  });

  it('while it lists the batches of a poll leaves them to the next one', async () => {
    await stack.submit();
    stack.breakAws({
      when: ({ functionName }) => functionName === 'embedding-list-pending-batches-lambda-dev',
      kill: true,
      moment: 'before',
      times: 1,
    });

    expect(await stack.local.execute({}, 'batchPoll')).toMatchObject(KILLED);
    expect(await stack.poll()).toMatchObject({ total: 2, completed: 2 });
    await expectBatchInvariants(stack);
  });
});

const LONG_AGO = '2025-01-01T00:00:00.000+00:00';

/** Lets time pass for batches that have not ended, as far as these attributes tell it. */
async function passTime(attributes: readonly (keyof BatchSummary)[]): Promise<void> {
  for (const batch of await stack.batches()) {
    const there = attributes.filter((name) => batch[name] !== undefined);
    if (there.length === 0) continue;
    await stack.updateBatch(
      batch.batch_id,
      Object.fromEntries(there.map((name) => [name, LONG_AGO])),
    );
  }
}

async function invokeSubmit(event: unknown): Promise<SubmitBatchOutput> {
  const { lambda } = stack.local.aws;
  const configuration = lambda.find(BATCH_FUNCTIONS.submit);
  if (configuration === undefined) throw new Error('there is no such function');
  const { payload, error } = await lambda.invoke(configuration, JSON.stringify(event));
  if (payload === undefined) throw new Error(JSON.stringify(error));
  return JSON.parse(payload) as SubmitBatchOutput;
}
