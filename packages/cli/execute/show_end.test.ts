import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { summarizePoll } from '../../../simple_lambdas/summarize_execution/summaries.ts';
import { summarizeSubmit } from '../../../simple_lambdas/summarize_execution/summaries.ts';
import { summarizeRun } from '../../../simple_lambdas/summarize_execution/summaries.ts';
import { yielding } from '../../../tests/support/yielding.ts';
import { writtenScreen } from '../command_line/testing/written_screen.ts';
import { executionEnd } from './execution_end.ts';
import { showEnd } from './show_end.ts';

const IMAGE_ID = '3f52804b-2fad-4e00-92c8-b593da3a8ed3';
const MODEL = 'text-embedding-3-small';
const results = { Bucket: 'files', Key: 'results/manifest.json' };
const rateLimited = { error: 'RateLimited', cause: '{"errorMessage": "slow down"}' };

function shown(ended: Partial<DescribeExecutionCommandOutput>): string[] {
  const { screen, lines } = writtenScreen();
  const startDate = new Date('2026-01-01T00:00:00Z');
  const stopDate = new Date('2026-01-01T00:03:20.500Z');
  const end = executionEnd({
    $metadata: {},
    stateMachineArn: undefined,
    executionArn: undefined,
    status: 'SUCCEEDED',
    startDate,
    stopDate,
    ...ended,
  });
  expect(end.seconds).toBe(200.5);
  showEnd(screen, end);
  return lines();
}

async function realtime(failed: number, changes: object = {}): Promise<string> {
  const success = {
    status: 'success',
    lines_count: 20,
    words_count: 1_000,
    invalid_rows: 1,
    reused: false,
    vectors: 1_010,
    openai_requests: 1,
    prompt_tokens: 2_000,
  } as const;
  const outcomes = [
    success,
    { ...success, reused: true, vectors: 0, openai_requests: 0, prompt_tokens: 0 },
    { status: 'skipped', lines_count: 0, words_count: 0, invalid_rows: 0 } as const,
    ...Array.from({ length: failed }, (_, at) => ({
      status: 'error' as const,
      image_id: IMAGE_ID,
      receipt_id: at + 1,
      ...rateLimited,
      ...(at === 0 ? { error: 'States.Timeout' } : {}),
    })),
  ];
  const input = { total_receipts: outcomes.length, last_evaluated_key: null, invalid_rows: 0 };
  const summary = await summarizeRun({ ...input, results }, () => yielding(outcomes), MODEL);
  return JSON.stringify({ ...summary, ...changes });
}

describe('the end of a realtime execution', () => {
  it('is a table of its summary', async () => {
    expect(shown({ output: await realtime(0) })).toStrictEqual([
      '',
      '  Execution   SUCCEEDED in 3 min 21 s',
      '  Receipts    3: 1 embedded, 1 reused, 1 skipped, 0 failed',
      '  Read        40 lines, 2,000 words',
      '  Vectors     1,010 written',
      "  OpenAI      1 request, 2,000 tokens ($0.000040 at OpenAI's list price)",
      '  Unreadable  2 rows left out',
      '  Results     s3://files/results/manifest.json',
    ]);
  });

  it('is the same when too many failed, with the failures and how many more there are', async () => {
    const lines = shown({
      status: 'FAILED',
      error: 'TooManyFailed',
      cause: await realtime(23, { invalid_rows: 0 }),
    });

    expect(lines.slice(1, 3)).toStrictEqual([
      '  Execution  FAILED (TooManyFailed) in 3 min 21 s',
      '  Receipts   26: 1 embedded, 1 reused, 1 skipped, 23 failed',
    ]);
    expect(lines.slice(6, 10)).toStrictEqual([
      '  Failures   22 RateLimited, 1 States.Timeout',
      '  Results    s3://files/results/manifest.json',
      `  failed: ${IMAGE_ID} 1: States.Timeout: slow down`,
      `  failed: ${IMAGE_ID} 2: RateLimited: slow down`,
    ]);
    expect(lines).toHaveLength(8 + 20 + 1);
    expect(lines.at(-1)).toBe('  failed: 3 more, see Results');
  });

  it('says how to go on behind a limit, and leaves out a price that is not known', async () => {
    const last_evaluated_key = { image_id: IMAGE_ID, receipt_id: 7 };
    const output = await realtime(0, { last_evaluated_key, estimated_cost_usd: null });
    const lines = shown({ output });

    expect(lines.at(-1)).toBe(
      `More receipts are left. Go on with --exclusive-start-key '${JSON.stringify(last_evaluated_key)}'`,
    );
    expect(lines).toContain('  OpenAI      1 request, 2,000 tokens');
  });
});

describe('the end of a submission', () => {
  it('is a table of its summary, and says whether more is left', async () => {
    const input = { total_batches: 3, planned: 100, receipts: 10, more: true, invalid_rows: 0 };
    const summary = await summarizeSubmit({ ...input, results }, () =>
      yielding([
        { status: 'submitted', batch_id: 'a', requested: 40 },
        { status: 'dropped', batch_id: 'b' },
        { status: 'refused', batch_id: 'c', error: 'QuotaExhausted', cause: 'no quota' },
      ] as const),
    );

    expect(shown({ output: JSON.stringify(summary) })).toStrictEqual([
      '',
      '  Execution     SUCCEEDED in 3 min 21 s',
      '  Batches       3: 1 submitted, 1 dropped, 1 failed',
      '  Receipts      10 planned',
      '  Lines, words  100 planned, 40 submitted',
      '  Failures      1 QuotaExhausted',
      '  Results       s3://files/results/manifest.json',
      '  failed: c: QuotaExhausted: no quota',
      'More is left to submit. Run it again',
    ]);
  });
});

describe('the end of a poll', () => {
  it.each([
    ['running batches', false, 1, true],
    ['more batches than one execution looks after', true, 0, true],
    ['none left', false, 0, false],
  ])('is a table of its summary, with %s', async (_, more, running, isLeft) => {
    const complete = { status: 'complete', requested: 60, succeeded: 30, failed: 20 } as const;
    const outcomes = [
      { ...complete, batch_id: 'a', released: 10, prompt_tokens: 1_000 },
      { status: 'error', batch_id: 'b', ...rateLimited } as const,
      ...Array.from({ length: running }, () => ({ status: 'running', batch_id: 'c' }) as const),
    ];
    const input = { total_batches: outcomes.length, more, invalid_rows: 0, results };
    const summary = await summarizePoll(input, () => yielding(outcomes), MODEL);

    expect(shown({ output: JSON.stringify(summary) })).toStrictEqual([
      '',
      '  Execution     SUCCEEDED in 3 min 21 s',
      `  Batches       ${outcomes.length}: 1 completed, ${running} running, 1 failed`,
      '  Lines, words  60: 30 embedded, 20 refused, 10 given back',
      "  OpenAI        1,000 tokens ($0.000010 at OpenAI's list price)",
      '  Failures      1 RateLimited',
      '  Results       s3://files/results/manifest.json',
      '  failed: b: RateLimited: slow down',
      ...(isLeft ? ['Not all batches have ended. Run it again later'] : []),
    ]);
  });
});

describe('the end of another execution', () => {
  it.each([
    [
      'its cause',
      { status: 'FAILED', error: 'InvalidRequest', cause: 'limit is wrong' } as const,
      ['  Execution  FAILED (InvalidRequest) in 3 min 21 s', '  Cause      limit is wrong'],
    ],
    [
      "a failed function's message",
      {
        status: 'FAILED',
        error: 'InvalidRequest',
        cause: '{"errorType": "InvalidRequest", "errorMessage": "limit is wrong"}',
      } as const,
      ['  Execution  FAILED (InvalidRequest) in 3 min 21 s', '  Cause      limit is wrong'],
    ],
    ['no more than that', { status: 'ABORTED' } as const, ['  Execution  ABORTED in 3 min 21 s']],
    [
      'its output',
      { output: '{"a": [1]}' },
      ['  Execution  SUCCEEDED in 3 min 21 s', '  Output     {"a":[1]}'],
    ],
  ])('has %s', (_, ended, lines) => {
    expect(shown(ended)).toStrictEqual(['', ...lines]);
  });
});
