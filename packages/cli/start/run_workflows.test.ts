import type { SFNClient } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import type {
  PollSummary,
  SubmitSummary,
} from '../../../simple_lambdas/summarize_execution/summary_schemas.ts';
import { writtenScreen } from '../command_line/testing/written_text.ts';
import { NOTHING_FAILED } from '../executions/testing/nothing_failed.ts';
import type { LocalStack, Workflow } from '../local_stack.ts';
import { runBatches } from './run_workflows.ts';

const SUBMITTED: SubmitSummary = {
  ...NOTHING_FAILED,
  total: 2,
  submitted: 2,
  dropped: 0,
  planned: 1_700,
  requested: 1_700,
  receipts: 12,
  more: false,
};
const POLLED: PollSummary = {
  ...NOTHING_FAILED,
  total: 2,
  completed: 2,
  running: 0,
  requested: 1_700,
  succeeded: 1_700,
  rows_failed: 0,
  released: 0,
  prompt_tokens: 1_000,
  estimated_cost_usd: 0.5,
  more: false,
};
const RUNNING: PollSummary = {
  ...POLLED,
  completed: 0,
  running: 2,
  requested: 0,
  succeeded: 0,
  prompt_tokens: 0,
};

/** Executions that are over as soon as they have begun, with these outputs in turn; an error fails. */
function stackOf(outputs: Readonly<Record<'batchSubmit' | 'batchPoll', readonly object[]>>): {
  readonly stack: LocalStack;
  readonly started: [Workflow, unknown][];
} {
  const started: [Workflow, unknown][] = [];
  const next = { batchSubmit: [...outputs.batchSubmit], batchPoll: [...outputs.batchPoll] };
  const running = new Map<string, object>();
  const sfn: Pick<SFNClient, 'send'> = {
    send: (command: { readonly input: object }) => {
      const { executionArn, mapRunArn } = command.input as Record<string, string | undefined>;
      if (mapRunArn !== undefined) {
        return Promise.resolve({ itemCounts: { total: 2, succeeded: 2 } });
      }
      const output = running.get(executionArn ?? '');
      return Promise.resolve({
        executionArn,
        mapRuns: [{ mapRunArn: `map of ${executionArn}` }],
        ...(output instanceof Error
          ? { status: 'FAILED', error: output.name, cause: output.message }
          : { status: 'SUCCEEDED', output: JSON.stringify(output) }),
      });
    },
  };
  const stack = {
    stateMachines: { realtime: 'arn:realtime', batchSubmit: 'arn:submit', batchPoll: 'arn:poll' },
    aws: { clients: { sfn } },
    start: (input: unknown, workflow: 'batchSubmit' | 'batchPoll') => {
      const output = next[workflow].shift();
      if (output === undefined) throw new Error(`one ${workflow} too many`);
      started.push([workflow, input]);
      const arn = `arn:${started.length}`;
      running.set(arn, output);
      return Promise.resolve(arn);
    },
  };
  return { stack: stack as unknown as LocalStack, started };
}

async function ran(
  batchSubmit: readonly object[],
  batchPoll: readonly object[],
): Promise<{
  readonly started: readonly [Workflow, unknown][];
  readonly lines: readonly string[];
  readonly run: Awaited<ReturnType<typeof runBatches>>;
}> {
  const { stack, started } = stackOf({ batchSubmit, batchPoll });
  const { screen, lines } = writtenScreen();
  const run = await runBatches(stack, { openai: 'stand-in' }, undefined, screen, 0);
  return { started, lines: lines(), run };
}

const failure = Object.assign(new Error('{}'), { name: 'TooManyFailed' });

describe('a run of batches', () => {
  it('submits, and polls until none is running', async () => {
    const { started, lines, run } = await ran([SUBMITTED], [POLLED]);

    expect(started).toStrictEqual([
      ['batchSubmit', {}],
      ['batchPoll', {}],
    ]);
    expect(lines).toStrictEqual([
      '',
      'Starting submit',
      `  [${'█'.repeat(30)}] 2 of 2 items`,
      '',
      '  Execution     SUCCEEDED in 0 s',
      '  Batches       2: 2 submitted, 0 dropped, 0 failed',
      '  Receipts      12 planned',
      '  Lines, words  1,700 planned, 1,700 submitted',
      '',
      'Polling poll',
      `  [${'░'.repeat(30)}] 0 of 2 batches done (poll 1)`,
      `  [${'█'.repeat(30)}] 2 of 2 batches done (poll 1)`,
      '',
      '  Execution     SUCCEEDED in 0 s',
      '  Batches       2: 2 completed, 0 running, 0 failed',
      '  Lines, words  1,700: 1,700 embedded, 0 refused, 0 returned to NONE',
      "  OpenAI        1,000 tokens ($0.50 at OpenAI's list price)",
    ]);
    expect(run.executions.map(({ executionArn }) => executionArn)).toStrictEqual([
      'arn:1',
      'arn:2',
    ]);
    expect([run.promptTokens, run.costUsd]).toStrictEqual([1_000, 0.5]);
  });

  it('polls nothing when there was nothing to submit', async () => {
    const { started } = await ran([{ ...SUBMITTED, submitted: 0, requested: 0 }], []);
    expect(started).toHaveLength(1);
  });

  it('submits again what was returned to NONE, three times at most', async () => {
    const released = { ...POLLED, succeeded: 1_699, released: 1 };
    const { started, lines, run } = await ran(
      [SUBMITTED, SUBMITTED, SUBMITTED],
      [released, released, { ...released, estimated_cost_usd: null }],
    );

    expect(started.map(([workflow]) => workflow)).toStrictEqual(
      [1, 2, 3].flatMap(() => ['batchSubmit', 'batchPoll']),
    );
    const again = 'What was returned to NONE is submitted again';
    expect(lines.filter((line) => line === again)).toHaveLength(2);
    expect(lines.at(-1)).toBe('1 line or word left for another run');
    expect([run.promptTokens, run.costUsd]).toStrictEqual([3_000, null]);
  });

  it.each([
    ['a submission', [failure], []],
    ['a poll', [SUBMITTED], [failure]],
  ])('ends with %s that fails', async (_title, submissions, polls) => {
    const { run } = await ran(submissions, polls);
    expect(run.executions).toHaveLength(submissions.length + polls.length);
    expect(run.executions.at(-1)).toMatchObject({ status: 'FAILED', error: 'TooManyFailed' });
  });

  it('names the batches that it could not bring further, although the execution succeeded', async () => {
    const failures = [{ batch_id: 'b-7', error: 'InvalidReceiptData', cause: 'broken JSON' }];
    const { lines } = await ran([SUBMITTED], [{ ...POLLED, completed: 1, failed: 1, failures }]);
    expect(lines.at(-1)).toBe('  failed: b-7: InvalidReceiptData: broken JSON');
  });
});

describe('polling', () => {
  it.each([
    ['a batch is running', { ...POLLED, completed: 1, running: 1 }],
    ['there are more batches than one execution looks at', { ...POLLED, completed: 1, more: true }],
  ])('goes on while %s, and adds up', async (_title, first) => {
    const second = { ...POLLED, completed: 1, released: 0, requested: 0, succeeded: 300 };
    const { lines, run } = await ran([SUBMITTED], [RUNNING, first, second]);

    expect(run.executions).toHaveLength(4);
    expect(run.promptTokens).toBe(2_000);
    const bars = lines.filter((line) => line.includes('done (poll'));
    expect(bars).toStrictEqual([
      `  [${'░'.repeat(30)}] 0 of 2 batches done (poll 1)`,
      `  [${'█'.repeat(15)}${'░'.repeat(15)}] 1 of 2 batches done (poll 2)`,
      `  [${'█'.repeat(30)}] 2 of 2 batches done (poll 3)`,
    ]);
    expect(lines).toContain('  Batches       2: 2 completed, 0 running, 0 failed');
    expect(lines).toContain('  Lines, words  1,700: 2,000 embedded, 0 refused, 0 returned to NONE');
  });
});
