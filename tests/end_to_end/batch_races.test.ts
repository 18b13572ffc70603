import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import type { BatchView } from 'vendor-stand-ins/openai/batch_script';
import type { Operation } from 'vendor-stand-ins/openai/faults';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type {
  PollSummary,
  SubmitSummary,
} from '../../simple_lambdas/summarize_execution/summary_schemas.ts';
import { RETRY_POLICIES } from 'receipt-embedding/retry';
import { expectBatchInvariants } from '../support/batch_invariants.ts';
import { BatchStack, type EntityRow } from '../support/batch_stack.ts';
import { BATCH_REQUESTS } from '../support/observed_requests.ts';
import { sharing } from '../support/shared_stacks.ts';
import { lineReceipts } from '../support/stack_receipts.ts';
import { finishedRun, summaryOf } from '../support/test_stack.ts';

/** Lines that a batch has room for; a receipt has one less, and is a batch of its own. */
const ROOM = 3;
const LINES = ROOM - 1;

let stack: BatchStack;

sharing.beforeAll(({ smallBatches }) => {
  stack = smallBatches;
});

beforeEach(async () => {
  await stack.reset();
});

/** Starts a workflow that is held up by a request to OpenAI, and waits until it is. */
async function startHeldUp(
  workflow: 'batchSubmit' | 'batchPoll',
  on: Operation,
): Promise<{ readonly goOn: <Summary>() => Promise<Summary> }> {
  const { openai, aws } = stack.local;
  const before = openai.batchRequests.get(on) ?? 0;
  const answer = stack.untilReset(openai.fault({ on, hang: true, times: 1 }));
  const arn = await stack.local.start({}, workflow);
  await vi.waitFor(
    () => {
      expect(openai.batchRequests.get(on)).toBe(before + 1);
    },
    { timeout: 30_000, interval: 20 },
  );
  return {
    goOn: async <Summary>() => {
      answer();
      return summaryOf(await aws.stepFunctions.waitForExecution(arn)) as Summary;
    },
  };
}

/** The realtime workflow, held up while it embeds. */
async function startRealtimeHeldUp(): Promise<{ readonly goOn: () => Promise<unknown> }> {
  const answer = stack.breakOpenAI({ on: 'embeddings.create', hang: true });
  const arn = await stack.local.start({});
  await vi.waitFor(
    () => {
      const { requests } = stack.local.openai;
      expect(requests.filter(({ status }) => status === 'pending')).toHaveLength(1);
    },
    { timeout: 30_000, interval: 20 },
  );
  return {
    goOn: async () => {
      answer();
      return finishedRun(await stack.local.aws.stepFunctions.waitForExecution(arn)).summary;
    },
  };
}

async function linesOf({ receipt }: SyntheticReceipt): Promise<EntityRow[]> {
  const lines = (await stack.entities()).filter(({ PK }) => PK === `IMAGE#${receipt.image_id}`);
  return lines.sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function firstLineOf(receipt: SyntheticReceipt): Promise<EntityRow> {
  const [line] = await linesOf(receipt);
  if (line === undefined) throw new Error('the receipt has no line');
  return line;
}

async function setStatus(line: EntityRow, status: string): Promise<void> {
  await stack.update(line, { embedding_status: status, GSI1PK: `EMBEDDING_STATUS#${status}` });
}

let upsertedBefore = 0;
let embeddedBefore = 0;

beforeEach(() => {
  upsertedBefore = stack.local.pinecone.usage.vectors;
  embeddedBefore = stack.local.openai.batchUsage.requests;
});

/** Vectors that Pinecone was sent in this test. */
function upserted(): number {
  return stack.local.pinecone.usage.vectors - upsertedBefore;
}

/** Rows that OpenAI has embedded, and is paid for, in this test. */
function embedded(): number {
  return stack.local.openai.batchUsage.requests - embeddedBefore;
}

describe('two submissions at once', () => {
  it('over the same receipts ask for each line once', async () => {
    await stack.load(lineReceipts(6, LINES));

    const summaries = await Promise.all([stack.submit(), stack.submit()]);

    const sum = (of: (summary: SubmitSummary) => number): number =>
      summaries.reduce((total, summary) => total + of(summary), 0);
    expect(sum(({ failed }) => failed)).toBe(0);
    expect(sum(({ submitted }) => submitted)).toBe(6);
    expect(sum(({ requested }) => requested)).toBe(6 * LINES);
    await expectBatchInvariants(stack);

    await stack.pollUntilDone();

    expect(embedded()).toBe(6 * LINES);
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 6 * LINES });
    await expectBatchInvariants(stack);
  });

  it('with other plans share the lines, and each asks for what it was first to claim', async () => {
    const [held, same, grown, shrunk] = lineReceipts(4, LINES) as [
      SyntheticReceipt,
      SyntheticReceipt,
      SyntheticReceipt,
      SyntheticReceipt,
    ];
    await stack.load([held, same, grown, shrunk]);
    const late = await startHeldUp('batchSubmit', 'files.create');
    // Meanwhile `grown` gets a line more, and of `shrunk` one is out of the way while the other execution plans.
    const line = await firstLineOf(grown);
    const added = { PK: line.PK, SK: line.SK.replace('LINE#00001', 'LINE#00003') };
    await stack.put({
      ...(await stack.rows()).find(({ PK, SK }) => PK === line.PK && SK === line.SK),
      ...added,
      line_id: ROOM,
      GSI1SK: `LINE#${added.PK}#${added.SK}`,
    });
    const away = await firstLineOf(shrunk);
    await setStatus(away, 'NOISE');

    const early = await stack.submit();
    await setStatus(away, 'NONE');
    const last = await late.goOn<SubmitSummary>();

    expect(early).toMatchObject({ total: 3, submitted: 3, requested: LINES + ROOM + 1 });
    // The first is its own; `same` and `grown` are the other's by now, and of `shrunk` it gets the one line.
    expect(last).toMatchObject({ total: 4, submitted: 2, dropped: 2, failed: 0 });
    expect(last).toMatchObject({ planned: 4 * LINES, requested: LINES + 1 });
    await expectBatchInvariants(stack);

    await stack.pollUntilDone();

    expect(embedded()).toBe(4 * LINES + 1);
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 4 * LINES + 1 });
    await expectBatchInvariants(stack);
  });

  it('of which one has died are one, once its claim has expired', async () => {
    await stack.load(lineReceipts(1, LINES));
    const late = await startHeldUp('batchSubmit', 'files.create');
    const { batch_id } = await stack.batch();
    await stack.updateBatch(batch_id, { claim_expires_at: LONG_AGO, submitted_at: LONG_AGO });

    // It has no batch at OpenAI yet, so that it is given up; the late one finds it gone.
    const polled = await stack.poll();
    const summary = await late.goOn<SubmitSummary>();

    expect(polled).toMatchObject({ total: 1, completed: 1, requested: LINES, released: LINES });
    // Its lease is lost, and what its retry finds has ended.
    expect(summary).toMatchObject({ total: 1, submitted: 0, dropped: 1, failed: 0 });
    expect(stack.openaiBatches(batch_id)).toStrictEqual([]);
    expect(await stack.statuses()).toStrictEqual({ NONE: LINES });
    await expectBatchInvariants(stack);

    expect(await stack.submit()).toMatchObject({ submitted: 1, requested: LINES });
    expect(await stack.poll()).toMatchObject({ completed: 1, succeeded: LINES });
    await expectBatchInvariants(stack);
  });
});

const LONG_AGO = '2025-01-01T00:00:00.000+00:00';

describe('a submission whose every line is edited between two of its tries', () => {
  it('is dropped, and what its first try had claimed is to do again', async () => {
    const [receipt] = lineReceipts(1, LINES);
    if (receipt === undefined) throw new Error();
    await stack.load([receipt]);
    const isRequests = BATCH_REQUESTS['submit: the requests'];
    const edits: Promise<void>[] = [];
    stack.breakAws({
      when: (request) => {
        if (!isRequests(request)) return false;
        if (edits.length === 0) edits.push(editLinesOf(receipt));
        return true;
      },
      ...{ status: 503, code: 'ServiceUnavailable' },
      // As often as one invocation tries.
      times: RETRY_POLICIES.s3.tries.UpstreamUnavailable,
    });

    const summary = await stack.submit();

    expect(summary).toMatchObject({ total: 1, submitted: 0, dropped: 1, failed: 0 });
    const lines = await linesOf(receipt);
    expect(lines.map(({ text, status, owner }) => [text, status, owner])).toStrictEqual(
      lines.map((_, at) => [`EDITED ${at}`, 'NONE', undefined]),
    );
    expect(await stack.batch()).toMatchObject({ status: 'CANCELLED', released: LINES });
    await expectBatchInvariants(stack);

    expect(await stack.submit()).toMatchObject({ submitted: 1, requested: LINES });
  });
});

async function editLinesOf(receipt: SyntheticReceipt): Promise<void> {
  for (const [at, line] of (await linesOf(receipt)).entries()) {
    await stack.update(line, { text: `EDITED ${at}` });
  }
}

describe('two polls at once', () => {
  it('ingest each batch once', async () => {
    await stack.load(lineReceipts(5, LINES));
    await stack.submit();

    const polls = await Promise.all([stack.poll(), stack.poll()]);

    const sum = (of: (summary: PollSummary) => number): number =>
      polls.reduce((total, summary) => total + of(summary), 0);
    expect(sum(({ failed }) => failed)).toBe(0);
    expect(sum(({ completed }) => completed)).toBe(5);
    expect(sum(({ succeeded }) => succeeded)).toBe(5 * LINES);
    expect(upserted()).toBe(5 * LINES);
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 5 * LINES });
    await expectBatchInvariants(stack);
  });

  it('leave each other’s batch alone, however long it takes', async () => {
    await stack.load(lineReceipts(3, LINES));
    await stack.submit();
    const slow = await startHeldUp('batchPoll', 'files.content');

    const quick = await stack.poll();

    expect(quick).toMatchObject({ total: 3, completed: 2, running: 1, failed: 0 });
    // What has ended meanwhile is nothing to be done about.
    expect(await slow.goOn<PollSummary>()).toMatchObject({
      total: 3,
      completed: 1,
      running: 2,
      failed: 0,
      succeeded: LINES,
    });
    expect(upserted()).toBe(3 * LINES);
    await expectBatchInvariants(stack);
  });

  it('may take a batch over when its claim has expired; the late one changes nothing', async () => {
    await stack.load(lineReceipts(1, LINES));
    await stack.submit();
    const slow = await startHeldUp('batchPoll', 'files.content');
    const { batch_id } = await stack.batch();
    await stack.updateBatch(batch_id, { claim_expires_at: LONG_AGO });

    expect(await stack.poll()).toMatchObject({ total: 1, completed: 1, succeeded: LINES });
    const ended = await stack.batch();
    const late = await slow.goOn<PollSummary>();

    // Its lease is lost; what the record says became of the batch is no failure.
    expect(late).toMatchObject({ total: 1, completed: 1, failed: 0, succeeded: LINES });
    expect(await stack.batch()).toStrictEqual(ended);
    expect(upserted()).toBe(LINES);
    await expectBatchInvariants(stack);
  });
});

describe('a realtime execution', () => {
  it('over lines that a batch has claimed embeds them; the batch’s results change nothing', async () => {
    await stack.load(lineReceipts(2, LINES));
    await stack.submit();

    expect((await stack.run()).summary).toMatchObject({ total: 2, succeeded: 2 });

    expect(await stack.statuses()).toStrictEqual({ SUCCESS: 2 * LINES });
    await expectBatchInvariants(stack);
    const before = await stack.entities();

    expect(await stack.poll()).toMatchObject({ completed: 2, succeeded: 2 * LINES, released: 0 });

    expect(await stack.entities()).toStrictEqual(before);
    await expectBatchInvariants(stack);
  });

  it.each([
    ['expires', { end: 'expired' }, { released: LINES, rows_failed: 0 }],
    ['fails', { end: 'failed' }, { released: LINES, rows_failed: 0 }],
    ['is refused row by row', { otherwise: 'refused' }, { released: 0, rows_failed: LINES }],
  ] as const)('is not undone by a batch that %s', async (_, script, counts) => {
    await stack.load(lineReceipts(1, LINES));
    await stack.submit();
    await stack.run();
    const before = await stack.entities();
    stack.script(script);

    expect(await stack.poll()).toMatchObject({ completed: 1, succeeded: 0, ...counts });

    expect(await stack.entities()).toStrictEqual(before);
    await expectBatchInvariants(stack);
  });

  it('after the poll leaves every status as it is', async () => {
    await stack.load(lineReceipts(1, LINES));
    await stack.submit();
    await stack.poll();
    const before = await stack.entities();

    expect((await stack.run()).summary).toMatchObject({ total: 1, failed: 0 });

    expect(await stack.entities()).toStrictEqual(before);
    await expectBatchInvariants(stack);
  });

  it('during which a batch claims the same lines takes them, and the batch ends well', async () => {
    await stack.load(lineReceipts(1, LINES));
    const realtime = await startRealtimeHeldUp();

    expect(await stack.submit()).toMatchObject({ submitted: 1, requested: LINES });
    expect(await realtime.goOn()).toMatchObject({ total: 1, succeeded: 1 });

    expect(await stack.statuses()).toStrictEqual({ SUCCESS: LINES });
    expect(await stack.poll()).toMatchObject({ completed: 1, succeeded: LINES });
    expect(await stack.statuses()).toStrictEqual({ SUCCESS: LINES });
    await expectBatchInvariants(stack);
  });

  it('during which a batch comes and goes finds the lines embedded', async () => {
    await stack.load(lineReceipts(1, LINES));
    const realtime = await startRealtimeHeldUp();
    await stack.submit();
    await stack.poll();
    const before = await stack.entities();

    // It had asked OpenAI already, and finds the batch's vectors in the log: they count.
    expect(await realtime.goOn()).toMatchObject({ total: 1, succeeded: 0, reused: 1 });

    expect(await stack.entities()).toStrictEqual(before);
    await expectBatchInvariants(stack);
  });

  it('between the claims of a submission and its upload leaves a batch that pays, and harms nothing', async () => {
    await stack.load(lineReceipts(1, LINES));
    const submission = await startHeldUp('batchSubmit', 'files.create');
    await stack.run();

    expect(await submission.goOn<SubmitSummary>()).toMatchObject({ submitted: 1 });

    expect(await stack.statuses()).toStrictEqual({ SUCCESS: LINES });
    expect(await stack.submit()).toMatchObject({ total: 0 });
    expect(await stack.poll()).toMatchObject({ completed: 1, succeeded: LINES });
    await expectBatchInvariants(stack);
  });
});

describe('a line whose status is changed by hand while its batch is under way', () => {
  it.each([
    ['NONE', 'SUCCESS'],
    ['FAILED', 'SUCCESS'],
    ['SUCCESS', 'SUCCESS'],
    ['NOISE', 'NOISE'],
  ])('to %s is %s in the end', async (status, end) => {
    const [receipt] = lineReceipts(1, LINES) as [SyntheticReceipt];
    await stack.load([receipt]);
    await stack.submit();
    await setStatus(await firstLineOf(receipt), status);

    expect(await stack.poll()).toMatchObject({ completed: 1, requested: LINES });

    const [first, second] = await linesOf(receipt);
    expect([first?.status, second?.status]).toStrictEqual([end, 'SUCCESS']);
    expect(second?.owner).toBeUndefined();
  });

  it.each([
    ['has its result', {}, { succeeded: LINES, released: 0 }],
    ['expires', { end: 'expired' }, { succeeded: 0, released: LINES }],
    ['is refused', { otherwise: 'refused' }, { rows_failed: LINES, released: 0 }],
  ] as const)(
    'to NONE, and claimed by another batch, stays that batch’s when the first %s',
    async (_, script, counts) => {
      const [receipt] = lineReceipts(1, LINES) as [SyntheticReceipt];
      await stack.load([receipt]);
      await stack.submit();
      const first = await stack.batch();
      await setStatus(await firstLineOf(receipt), 'NONE');
      expect(await stack.submit()).toMatchObject({ submitted: 1, requested: 1 });
      const second = (await stack.batches()).find(({ batch_id }) => batch_id !== first.batch_id);
      const isFirst = ({ metadata }: BatchView): boolean =>
        metadata?.['batch_id'] === first.batch_id;
      stack.script(script, isFirst);
      stack.script({ stays: 'in_progress' }, (batch) => !isFirst(batch));

      expect(await stack.poll()).toMatchObject({ completed: 1, running: 1, ...counts });

      const line = await firstLineOf(receipt);
      expect([line.status, line.owner]).toStrictEqual(['PENDING', second?.batch_id]);

      stack.endFaults();
      expect(await stack.poll()).toMatchObject({ completed: 1, succeeded: 1 });
      expect((await firstLineOf(receipt)).status).toBe('SUCCESS');
      await expectBatchInvariants(stack);
    },
  );
});
