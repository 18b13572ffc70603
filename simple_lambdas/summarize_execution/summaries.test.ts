import { describe, expect, it } from 'vitest';
import { IMAGE_ID } from '../../tests/support/receipt_factory.ts';
import { rejection } from '../../tests/support/rejection.ts';
import { yielding } from '../../tests/support/yielding.ts';
import {
  type PolledBatch,
  polledBatchSchema,
  type ReceiptOutcome,
  type SubmissionOutcome,
  submissionSchema,
  summarizeInputSchema,
  summarizePoll,
  summarizeRealtime,
  summarizeSubmit,
} from './summaries.ts';

const MODEL = 'text-embedding-3-small';
const LOCATION = { Bucket: 'bucket', Key: 'results/manifest.json' };
const results = { bucket: 'bucket', key: 'results/manifest.json' };

/** Reads these outcomes, from where it is told to. */
function reading<Outcome>(outcomes: readonly Outcome[]) {
  return (location: unknown) => {
    expect(location).toStrictEqual(LOCATION);
    return yielding(outcomes);
  };
}

describe('the summary of the realtime workflow', () => {
  const input = {
    total_receipts: 1,
    last_evaluated_key: null,
    invalid_rows: 0,
    results: LOCATION,
  };
  const embedded: ReceiptOutcome = {
    status: 'success',
    lines_count: 20,
    words_count: 100,
    invalid_rows: 1,
    reused: false,
    vectors: 110,
    openai_requests: 1,
    prompt_tokens: 2_000,
    refused: 0,
    refusals: [],
  };
  const reused: ReceiptOutcome = {
    ...embedded,
    reused: true,
    vectors: 0,
    openai_requests: 0,
    prompt_tokens: 0,
  };
  const skipped: ReceiptOutcome = {
    status: 'skipped',
    lines_count: 2,
    words_count: 3,
    invalid_rows: 4,
  };
  const failed = (receipt_id: number, cause = 'timed out'): ReceiptOutcome => ({
    status: 'error',
    image_id: IMAGE_ID,
    receipt_id,
    error: 'RateLimited',
    cause,
  });

  const summarize = (outcomes: readonly ReceiptOutcome[], changes: object = {}, model = MODEL) =>
    summarizeRealtime(
      { ...input, total_receipts: outcomes.length, ...changes },
      reading(outcomes),
      model,
    );

  it('adds up what became of its receipts', async () => {
    const key = { image_id: IMAGE_ID, receipt_id: 9 };

    expect(
      await summarize([embedded, reused, failed(3), skipped, embedded], {
        invalid_rows: 10,
        last_evaluated_key: key,
      }),
    ).toStrictEqual({
      total: 5,
      succeeded: 2,
      reused: 1,
      skipped: 1,
      failed: 1,
      not_tried: 0,
      stopped: null,
      failed_percentage: 20,
      failures: [{ image_id: IMAGE_ID, receipt_id: 3, error: 'RateLimited', cause: 'timed out' }],
      failures_by_reason: { RateLimited: 1 },
      lines: 62,
      words: 303,
      vectors: 220,
      openai_requests: 2,
      prompt_tokens: 4_000,
      refused: 0,
      refusals: [],
      estimated_cost_usd: 0.00008,
      invalid_rows: 17,
      last_evaluated_key: key,
      results,
    });
  });

  it('counts the lines and words that were refused in receipts that succeeded, and names the first 20', async () => {
    const refusal = { id: `IMAGE#${IMAGE_ID}#RECEIPT#00001#LINE#00001`, reason: 'too long' };
    const partly: ReceiptOutcome = {
      ...embedded,
      refused: 12,
      refusals: Array<typeof refusal>(5).fill(refusal),
    };

    const summary = await summarize([embedded, ...Array<ReceiptOutcome>(7).fill(partly)]);

    expect(summary).toMatchObject({ succeeded: 8, failed: 0, refused: 84 });
    expect(summary.refusals).toStrictEqual(Array(20).fill(refusal));
  });

  it('of a Map that ended early counts what was not tried, and says why in words', async () => {
    const quota = { ...failed(1, 'no quota left'), error: 'QuotaExhausted' } as ReceiptOutcome;
    const untried: ReceiptOutcome = { status: 'not_tried' };
    const results = {
      Bucket: 'b',
      MapRunArn: 'arn:aws:states:eu-west-1:1:mapRun:machine/label:1f0a',
    };
    const read: unknown[] = [];

    const summary = await summarizeRealtime(
      { ...input, total_receipts: 4, results, execution_name: 'run-1' },
      (location) => {
        read.push(location);
        return yielding([embedded, quota, untried, untried]);
      },
      MODEL,
    );

    expect(read).toStrictEqual([{ Bucket: 'b', Key: 'runs/run-1/results/1f0a/manifest.json' }]);
    expect(summary).toMatchObject({
      total: 4,
      succeeded: 1,
      failed: 1,
      not_tried: 2,
      stopped:
        'ended early, 2 were not tried, since none could have succeeded: QuotaExhausted: no quota left',
    });
  });

  it('shows the first 20 failures, their causes cut, and stays under half of the 32 KiB of a cause', async () => {
    const summary = await summarize(
      Array.from({ length: 100 }, (_, at) => failed(at + 1, '"'.repeat(1_000))),
    );

    expect([summary.failed, summary.failed_percentage]).toStrictEqual([100, 100]);
    expect(summary.failures.map(({ receipt_id, cause }) => [receipt_id, cause])).toStrictEqual(
      Array.from({ length: 20 }, (_, at) => [at + 1, '"'.repeat(300)]),
    );
    expect(JSON.stringify(summary).length).toBeLessThan(16 * 1024);
  });

  it('says which function timed out', async () => {
    const timeout = { ...failed(1, ''), error: 'States.Timeout' } as ReceiptOutcome;

    expect((await summarize([timeout])).failures[0]?.cause).toBe(
      'process_receipt_realtime did not answer within its time limit (States.Timeout)',
    );
  });

  it.each([
    ['too few', 3],
    ['too many', 1],
  ])('is refused when there are %s results', async (_, total_receipts) => {
    const error = await rejection(summarize([embedded, skipped], { total_receipts }));

    expect([error.name, error.message]).toStrictEqual([
      'InvalidReceiptData',
      `${total_receipts} receipts were to be processed, but there are results of 2`,
    ]);
  });

  it('has no price for a model that is not on the list, and costs nothing, not null, where all was reused', async () => {
    expect((await summarize([embedded], {}, 'another-model')).estimated_cost_usd).toBeNull();
    expect((await summarize([reused])).estimated_cost_usd).toBe(0);
  });

  it.each([
    ['what the Map gives', {}, []],
    ['no receipts', { total_receipts: 0 }, ['total_receipts']],
    [
      'nothing of the listing',
      { invalid_rows: undefined, last_evaluated_key: undefined, results: { Bucket: 'b' } },
      ['last_evaluated_key', 'invalid_rows', 'results'],
    ],
    ['another workflow', { workflow: 'poll' }, ['workflow']],
  ])('with %s as its input has these problems: %j', (_, change, fields) => {
    const { error } = summarizeInputSchema.safeParse({ workflow: 'realtime', ...input, ...change });

    expect(error?.issues.map(({ path }) => path.join('.')) ?? []).toStrictEqual(fields);
  });
});

describe('the summary of the submit workflow', () => {
  const input = {
    total_batches: 1,
    planned: 100,
    receipts: 10,
    more: false,
    invalid_rows: 0,
    results: LOCATION,
  };
  const submitted: SubmissionOutcome = { status: 'submitted', batch_id: 'a', requested: 40 };
  const dropped: SubmissionOutcome = { status: 'dropped', batch_id: 'b' };
  const failed = (batch_id: string, status: 'refused' | 'error', cause = 'timed out') =>
    ({ status, batch_id, error: 'RateLimited', cause }) satisfies SubmissionOutcome;

  const summarize = (outcomes: readonly SubmissionOutcome[], changes: object = {}) =>
    summarizeSubmit({ ...input, total_batches: outcomes.length, ...changes }, reading(outcomes));

  it('adds up what became of the batches', async () => {
    const outcomes = [
      submitted,
      failed('c', 'refused', 'no quota left'),
      dropped,
      submitted,
      failed('d', 'error'),
    ];

    expect(await summarize(outcomes, { more: true, invalid_rows: 3 })).toStrictEqual({
      total: 5,
      submitted: 2,
      dropped: 1,
      failed: 2,
      not_tried: 0,
      stopped: null,
      failed_percentage: 40,
      failures: [
        { batch_id: 'c', error: 'RateLimited', cause: 'no quota left' },
        { batch_id: 'd', error: 'RateLimited', cause: 'timed out' },
      ],
      failures_by_reason: { RateLimited: 2 },
      planned: 100,
      receipts: 10,
      more: true,
      invalid_rows: 3,
      requested: 80,
      results,
    });
  });

  it.each([
    ['too few', 3],
    ['too many', 1],
  ])('is refused when there are %s results', async (_, total_batches) => {
    const error = await rejection(summarize([submitted, dropped], { total_batches }));

    expect([error.name, error.message]).toStrictEqual([
      'InvalidReceiptData',
      `${total_batches} batches were to be submitted, but there are results of 2`,
    ]);
  });

  it.each([
    [{ ...submitted, batch_type: 'LINE_EMBEDDING', openai_batch_id: 'x', adopted: false }, true],
    [{ ...dropped, batch_type: 'LINE_EMBEDDING', reason: 'another has it' }, true],
    [{ ...failed('c', 'refused'), batch_type: 'LINE_EMBEDDING', released: 3 }, true],
    [failed('d', 'error'), true],
    [{ status: 'submitted', batch_id: 'a' }, false],
    [{ status: 'refused', batch_id: 'a', error: 'RateLimited' }, false],
    [{ status: 'running', batch_id: 'a' }, false],
  ])('understands the result %j: %s', (result, understood) => {
    expect(submissionSchema.safeParse(result).success).toBe(understood);
  });

  it.each([
    ['what the Map gives', {}, []],
    ['fewer than none planned', { planned: -1 }, ['planned']],
    [
      'nothing of the plan',
      { receipts: null, total_batches: 0, more: null, invalid_rows: null },
      ['receipts', 'invalid_rows', 'total_batches', 'more'],
    ],
  ])('with %s as its input has these problems: %j', (_, change, fields) => {
    const { error } = summarizeInputSchema.safeParse({
      workflow: 'batch_submit',
      ...input,
      ...change,
    });

    expect(error?.issues.map(({ path }) => path.join('.')) ?? []).toStrictEqual(fields);
  });
});

describe('the summary of the poll workflow', () => {
  const input = { total_batches: 1, more: false, invalid_rows: 0, results: LOCATION };
  const running: PolledBatch = { status: 'running', batch_id: 'a' };
  const complete: PolledBatch = {
    status: 'complete',
    batch_id: 'b',
    requested: 60,
    succeeded: 30,
    failed: 20,
    released: 10,
    prompt_tokens: 1_000,
  };
  const failed = (batch_id: string, error = 'UpstreamUnavailable', cause = 'timed out') =>
    ({ status: 'error', batch_id, error, cause }) satisfies PolledBatch;

  const summarize = (outcomes: readonly PolledBatch[], changes: object = {}, model = MODEL) =>
    summarizePoll(
      { ...input, total_batches: outcomes.length, ...changes },
      reading(outcomes),
      model,
    );

  it('adds up what became of the batches and of their rows', async () => {
    const other = {
      ...complete,
      requested: 7,
      succeeded: 5,
      failed: 0,
      released: 2,
      prompt_tokens: 500,
    };

    expect(
      await summarize([running, complete, failed('c'), other, running], {
        more: true,
        invalid_rows: 3,
      }),
    ).toStrictEqual({
      total: 5,
      completed: 2,
      running: 2,
      failed: 1,
      not_tried: 0,
      stopped: null,
      failed_percentage: 20,
      failures: [{ batch_id: 'c', error: 'UpstreamUnavailable', cause: 'timed out' }],
      failures_by_reason: { UpstreamUnavailable: 1 },
      requested: 67,
      succeeded: 35,
      rows_failed: 20,
      released: 12,
      prompt_tokens: 1_500,
      estimated_cost_usd: 0.000015,
      more: true,
      invalid_rows: 3,
      results,
    });
  });

  it('gives the reason for which a part failed', async () => {
    const cause = JSON.stringify({ Error: 'RateLimited', Cause: '{"errorMessage":"slow down"}' });

    const { failures, failures_by_reason } = await summarize([failed('c', 'PartFailed', cause)]);

    expect(failures).toStrictEqual([{ batch_id: 'c', error: 'RateLimited', cause: 'slow down' }]);
    expect(failures_by_reason).toStrictEqual({ RateLimited: 1 });
  });

  it('has no price for a model that is not on the list, and costs nothing where nothing has ended', async () => {
    expect((await summarize([complete], {}, 'another-model')).estimated_cost_usd).toBeNull();
    expect((await summarize([running])).estimated_cost_usd).toBe(0);
  });

  it.each([
    ['too few', 3],
    ['too many', 1],
  ])('is refused when there are %s results', async (_, total_batches) => {
    const error = await rejection(summarize([running, complete], { total_batches }));

    expect([error.name, error.message]).toStrictEqual([
      'InvalidReceiptData',
      `${total_batches} batches were to be polled, but there are results of 2`,
    ]);
  });

  it.each([
    [{ ...running, batch_type: 'LINE_EMBEDDING', batch_status: 'IN_PROGRESS' }, true],
    [{ ...complete, batch_type: 'LINE_EMBEDDING', batch_status: 'EXPIRED', reason: null }, true],
    [failed('c'), true],
    [{ ...complete, released: undefined }, false],
    [{ status: 'error', batch_id: 'c' }, false],
    [{ status: 'submitted', batch_id: 'c', requested: 1 }, false],
  ])('understands the result %j: %s', (result, understood) => {
    expect(polledBatchSchema.safeParse(result).success).toBe(understood);
  });

  it.each([
    ['what the Map gives', {}, []],
    [
      'nothing else',
      { more: 'no', invalid_rows: -1, total_batches: 0 },
      ['invalid_rows', 'total_batches', 'more'],
    ],
  ])('with %s as its input has these problems: %j', (_, change, fields) => {
    const { error } = summarizeInputSchema.safeParse({
      workflow: 'batch_poll',
      ...input,
      ...change,
    });

    expect(error?.issues.map(({ path }) => path.join('.')) ?? []).toStrictEqual(fields);
  });
});
