import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import type {
  PollSummary,
  RealtimeSummary,
  SubmitSummary,
} from '../../../simple_lambdas/summarize_execution/summary_schemas.ts';
import { writtenScreen } from '../command_line/testing/written_text.ts';
import { repeatedOptions } from '../execute/options.ts';
import { executionEnd, failureLine } from './execution_end.ts';
import { nextLines, showEnd } from './execution_report.ts';
import { NOTHING_FAILED } from './testing/nothing_failed.ts';

// Not proved here: that the workflows' summaries look like these (tests/end_to_end has real ones).

const IMAGE_ID = '3f52804b-2fad-4e00-92c8-b593da3a8ed3';
const REALTIME: RealtimeSummary = {
  ...NOTHING_FAILED,
  total: 3,
  succeeded: 1,
  reused: 1,
  skipped: 1,
  lines: 40,
  words: 2_000,
  vectors: 1_010,
  openai_requests: 1,
  prompt_tokens: 2_000,
  refused: 0,
  refusals: [],
  estimated_cost_usd: 0.000_04,
  last_evaluated_key: null,
};
const SUBMIT: SubmitSummary = {
  ...NOTHING_FAILED,
  total: 3,
  submitted: 1,
  dropped: 1,
  planned: 100,
  requested: 40,
  receipts: 10,
  more: true,
};
const POLL: PollSummary = {
  ...NOTHING_FAILED,
  total: 2,
  completed: 1,
  running: 0,
  requested: 60,
  succeeded: 30,
  rows_failed: 20,
  released: 10,
  prompt_tokens: 1_000,
  estimated_cost_usd: 0.000_01,
  more: false,
};
const ONE_FAILED = {
  failed: 1,
  failures: [{ batch_id: 'c', error: 'QuotaExhausted', cause: '{"errorMessage":"no quota"}' }],
  failures_by_reason: { QuotaExhausted: 1 },
};

function ended(changes: Partial<DescribeExecutionCommandOutput>): DescribeExecutionCommandOutput {
  return {
    $metadata: {},
    stateMachineArn: undefined,
    executionArn: undefined,
    status: 'SUCCEEDED',
    startDate: new Date('2026-01-01T00:00:00Z'),
    stopDate: new Date('2026-01-01T00:03:20.500Z'),
    ...changes,
  };
}

function shown(changes: Partial<DescribeExecutionCommandOutput>): string[] {
  const { screen, lines } = writtenScreen();
  const end = executionEnd(ended(changes));
  showEnd(screen, end);
  screen.lines(
    nextLines(end, { options: repeatedOptions({ limit: 3, force: true, alone: true }) }),
  );
  return lines().slice(1);
}

describe('the end of an execution', () => {
  it.each<[string, object, string[]]>([
    [
      'a realtime execution',
      { ...REALTIME, invalid_rows: 2 },
      [
        '  Execution   SUCCEEDED in 3 min 21 s',
        '  Receipts    3: 1 embedded, 1 reused, 1 skipped, 0 failed',
        '  Read        40 lines, 2,000 words',
        '  Vectors     1,010 written',
        "  OpenAI      1 request, 2,000 tokens ($0.000040 at OpenAI's list price)",
        '  Unreadable  2 rows left out',
        'NEXT',
        '  npx receipts search "oat milk"',
      ],
    ],
    [
      'a submission that leaves more',
      { ...SUBMIT, ...ONE_FAILED },
      [
        '  Execution     SUCCEEDED in 3 min 21 s',
        '  Batches       3: 1 submitted, 1 dropped, 1 failed',
        '  Receipts      10 planned',
        '  Lines, words  100 planned, 40 submitted',
        '  Failures      1 QuotaExhausted',
        '  Results       s3://files/results/manifest.json',
        '  failed: c: QuotaExhausted: no quota',
        'More is left to submit. To go on:',
        '  npx receipts execute batch-submit --limit 3 --force --wait',
        'To fetch what has ended:',
        '  npx receipts execute batch-poll --wait',
      ],
    ],
    [
      'a poll that leaves nothing',
      POLL,
      [
        '  Execution     SUCCEEDED in 3 min 21 s',
        '  Batches       2: 1 completed, 0 running, 0 failed',
        '  Lines, words  60: 30 embedded, 20 refused, 10 returned to NONE',
        "  OpenAI        1,000 tokens ($0.000010 at OpenAI's list price)",
        'Refused lines and words are FAILED. To try them again:',
        '  npx receipts redo failed',
        'To submit again what was returned to NONE:',
        '  npx receipts execute batch-submit --wait',
      ],
    ],
  ])('of %s is a table of its summary', (_, summary, lines) => {
    expect(shown({ output: JSON.stringify(summary) })).toStrictEqual(lines);
  });

  it.each([
    ['running batches', { running: 1 }],
    ['more batches than one execution looks after', { more: true }],
  ])('of a poll says that there are %s', (_, changes) => {
    expect(shown({ output: JSON.stringify({ ...POLL, ...changes }) }).slice(-2)).toStrictEqual([
      'Not all batches have ended. To look again:',
      '  npx receipts execute batch-poll --limit 3 --force --wait',
    ]);
  });

  it.each<[string, object, string[]]>([
    [
      'what fetches the batches of a submission',
      SUBMIT,
      ['To fetch what has ended:', '  npx receipts execute batch-poll --wait --stack dev'],
    ],
    [
      'what tries failed receipts again',
      {
        ...REALTIME,
        ...ONE_FAILED,
        failures: [{ image_id: IMAGE_ID, receipt_id: 1, error: 'QuotaExhausted', cause: 'none' }],
      },
      [
        'To try what failed again:',
        '  npx receipts execute realtime --filter NONE --wait --stack dev',
      ],
    ],
    ['nothing, where there was nothing to do', { ...REALTIME, total: 0 }, []],
  ])('says %s, for the stack that was named', (_, summary, lines) => {
    const end = executionEnd(ended({ output: JSON.stringify({ ...summary, more: false }) }));
    expect(nextLines(end, { stack: 'dev' })).toStrictEqual(lines);
  });

  it('says how to go on behind a limit, and leaves out a price that is not known', () => {
    const last_evaluated_key = { image_id: IMAGE_ID, receipt_id: 7 };
    const lines = shown({
      output: JSON.stringify({ ...REALTIME, last_evaluated_key, estimated_cost_usd: null }),
    });
    expect(lines.slice(-2)).toStrictEqual([
      'More receipts are left. To go on:',
      `  npx receipts execute realtime --limit 3 --force --exclusive-start-key '${JSON.stringify(last_evaluated_key)}' --wait`,
    ]);
    expect(lines).toContain('  OpenAI     1 request, 2,000 tokens');
  });

  it('is the same table when too many failed, with failures and how many more there are', () => {
    const failures = Array.from({ length: 20 }, (_, at) => ({
      image_id: IMAGE_ID,
      receipt_id: at + 1,
      error: at === 0 ? 'States.Timeout' : 'RateLimited',
      cause: '{"errorMessage": "slow down"}',
    }));
    const failures_by_reason = { 'States.Timeout': 1, RateLimited: 22 };
    const cause = JSON.stringify({
      ...REALTIME,
      total: 26,
      failed: 23,
      failures,
      failures_by_reason,
    });
    const lines = shown({ status: 'FAILED', error: 'TooManyFailed', cause });

    expect(lines.slice(0, 2)).toStrictEqual([
      '  Execution  FAILED (TooManyFailed) in 3 min 21 s',
      '  Receipts   26: 1 embedded, 1 reused, 1 skipped, 23 failed',
    ]);
    expect(lines.slice(5, 9)).toStrictEqual([
      '  Failures   22 RateLimited, 1 States.Timeout',
      '  Results    s3://files/results/manifest.json',
      `  failed: ${IMAGE_ID} 1: States.Timeout: slow down`,
      `  failed: ${IMAGE_ID} 2: RateLimited: slow down`,
    ]);
    expect(lines).toHaveLength(7 + 20 + 1 + 2);
    expect(lines.slice(-3)).toStrictEqual([
      '  failed: 3 more, see Results',
      'To try what failed again:',
      '  npx receipts execute realtime --filter NONE --wait',
    ]);
  });

  const WRONG_LIMIT = [
    '  Execution  FAILED (InvalidRequest) in 3 min 21 s',
    '  Cause      limit is wrong',
  ];
  const MESSAGE = '{"errorType": "InvalidRequest", "errorMessage": "limit is wrong"}';

  it.each<[string, Partial<DescribeExecutionCommandOutput>, string[]]>([
    [
      'its cause',
      { status: 'FAILED', error: 'InvalidRequest', cause: 'limit is wrong' },
      WRONG_LIMIT,
    ],
    [
      "a failed function's message",
      { status: 'FAILED', error: 'InvalidRequest', cause: MESSAGE },
      WRONG_LIMIT,
    ],
    [
      'the error that the workflow caught',
      {
        status: 'FAILED',
        error: 'RunFailed',
        cause: JSON.stringify({ Error: 'InvalidRequest', Cause: MESSAGE }),
      },
      WRONG_LIMIT,
    ],
    [
      'what timed out, where it says no more',
      {
        status: 'FAILED',
        error: 'RunFailed',
        cause: JSON.stringify({ Error: 'States.Timeout', Cause: '' }),
      },
      [
        '  Execution  FAILED (States.Timeout) in 3 min 21 s',
        '  Cause      the function did not answer within its time limit (States.Timeout)',
      ],
    ],
    ['no more than that', { status: 'ABORTED' }, ['  Execution  ABORTED in 3 min 21 s']],
    [
      'what is running, where another of its kind is',
      { output: '{"status":"already_running","running_execution":"arn:run-1"}' },
      [
        '  Execution    SUCCEEDED in 3 min 21 s',
        '  Did nothing  another of its kind is running: arn:run-1',
      ],
    ],
    [
      'its output',
      { output: '{"a": [1]}' },
      ['  Execution  SUCCEEDED in 3 min 21 s', '  Output     {"a":[1]}'],
    ],
  ])('without a summary has %s', (_, changes, lines) => {
    expect(shown(changes)).toStrictEqual(lines);
  });
});

describe('the cause of a failure in one line', () => {
  it.each([
    ['how many failed, of a summary', JSON.stringify({ ...REALTIME, failed: 3 }), '3 of 3 failed'],
    [
      "the message, of a function's error",
      '{"errorType":"InvalidRequest","errorMessage":"limit: expected a number\\nfilter: unknown","trace":[]}',
      'limit: expected a number',
    ],
    ['what the workflow caught', '{"Error":"States.Timeout","Cause":"too slow"}', 'too slow'],
    ['the first line of a text', '\n  broken\nmore', 'broken'],
    ['itself, where it is JSON of another kind', '[1,2]', '[1,2]'],
  ])('is %s', (_, cause, line) => {
    expect(failureLine(ended({ status: 'FAILED', error: 'RunFailed', cause })).cause).toBe(line);
  });
});
