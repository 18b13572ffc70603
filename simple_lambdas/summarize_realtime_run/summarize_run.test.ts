import { describe, expect, it } from 'vitest';
import { IMAGE_ID } from '../../tests/support/receipt_factory.ts';
import { rejection } from '../../tests/support/rejection.ts';
import type { Outcome } from './receipt_outcomes.ts';
import { summarizeRun, type SummarizeRunInput, summarizeRunInputSchema } from './summarize_run.ts';

const results = { Bucket: 'vectors', Key: 'runs/run-1/results/manifest.json' };

const embedded: Outcome = {
  status: 'success',
  lines_count: 20,
  words_count: 100,
  invalid_rows: 1,
  reused: false,
  vectors: 110,
  openai_requests: 1,
  prompt_tokens: 2_000,
};

const reused: Outcome = {
  ...embedded,
  reused: true,
  vectors: 0,
  openai_requests: 0,
  prompt_tokens: 0,
};

const skipped: Outcome = { status: 'skipped', lines_count: 2, words_count: 3, invalid_rows: 4 };

function failed(receipt_id: number, cause = 'timed out'): Outcome {
  return { status: 'error', image_id: IMAGE_ID, receipt_id, error: 'RateLimited', cause };
}

async function* yielding(outcomes: readonly Outcome[]) {
  for (const outcome of outcomes) {
    await Promise.resolve();
    yield outcome;
  }
}

function summarize(
  outcomes: readonly Outcome[],
  input: Partial<SummarizeRunInput> = {},
  model = 'text-embedding-3-small',
) {
  return summarizeRun(
    {
      total_receipts: outcomes.length,
      last_evaluated_key: null,
      invalid_rows: 0,
      results,
      ...input,
    },
    () => yielding(outcomes),
    model,
  );
}

describe('the summary of a run', () => {
  it('adds up what became of its receipts', async () => {
    const key = { image_id: IMAGE_ID, receipt_id: 9 };

    const summary = await summarize([embedded, reused, failed(3), skipped, embedded], {
      invalid_rows: 10,
      last_evaluated_key: key,
    });

    expect(summary).toStrictEqual({
      total: 5,
      succeeded: 2,
      reused: 1,
      skipped: 1,
      failed: 1,
      failed_percentage: 20,
      failures: [{ image_id: IMAGE_ID, receipt_id: 3, error: 'RateLimited', cause: 'timed out' }],
      failures_by_reason: { RateLimited: 1 },
      lines: 62,
      words: 303,
      vectors: 220,
      openai_requests: 2,
      prompt_tokens: 4_000,
      estimated_cost_usd: 0.00008,
      invalid_rows: 17,
      last_evaluated_key: key,
      results: { bucket: 'vectors', key: 'runs/run-1/results/manifest.json' },
    });
  });

  it('reads the results that it was told of', async () => {
    const locations: unknown[] = [];
    const input = { total_receipts: 1, last_evaluated_key: null, invalid_rows: 0, results };
    await summarizeRun(
      input,
      (location) => {
        locations.push(location);
        return yielding([embedded]);
      },
      'text-embedding-3-small',
    );

    expect(locations).toStrictEqual([results]);
  });

  it('shows the first 20 failures of 21, and counts all', async () => {
    const outcomes = Array.from({ length: 21 }, (_, at) => failed(at + 1));

    const summary = await summarize(outcomes);

    expect([summary.failed, summary.failed_percentage]).toStrictEqual([21, 100]);
    expect(summary.failures.map(({ receipt_id }) => receipt_id)).toStrictEqual(
      Array.from({ length: 20 }, (_, at) => at + 1),
    );
  });

  it.each([
    [
      'the message of a failed function',
      '{"errorType":"RateLimited","errorMessage":"slow down","trace":["a"]}',
      'slow down',
    ],
    ['plain text', 'timed out', 'timed out'],
    ['JSON of another kind', '{"reason":"x"}', '{"reason":"x"}'],
    ['nothing', '', ''],
    ['300 characters', 'x'.repeat(300), 'x'.repeat(300)],
    ['301 characters, cut', 'x'.repeat(301), 'x'.repeat(300)],
    ['a long message, cut', JSON.stringify({ errorMessage: 'y'.repeat(900) }), 'y'.repeat(300)],
  ])('gives as the cause of a failure %s', async (_, cause, shown) => {
    const { failures } = await summarize([failed(1, cause)]);

    expect(failures.map((failure) => failure.cause)).toStrictEqual([shown]);
  });

  it('stays under half of the 32 KiB that the cause of a failed execution may hold', async () => {
    const outcomes = Array.from({ length: 100 }, (_, at) => failed(at + 1, '"'.repeat(1_000)));

    expect(JSON.stringify(await summarize(outcomes)).length).toBeLessThan(16 * 1024);
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

  it('has no price for a model that is not on the list', async () => {
    const { estimated_cost_usd, prompt_tokens } = await summarize([embedded], {}, 'another-model');

    expect([estimated_cost_usd, prompt_tokens]).toStrictEqual([null, 2_000]);
  });

  it('costs nothing, and not null, where all was reused', async () => {
    expect((await summarize([reused])).estimated_cost_usd).toBe(0);
  });
});

describe('the input of the summary', () => {
  const input = { total_receipts: 1, last_evaluated_key: null, invalid_rows: 0, results };

  it.each([
    ['what the Map gives', {}, true],
    ['no receipts', { total_receipts: 0 }, false],
    ['no results', { results: undefined }, false],
    ['no count of invalid rows', { invalid_rows: undefined }, false],
    ['no key', { last_evaluated_key: undefined }, false],
  ])('with %s is accepted: %s', (_, change, accepted) => {
    expect(summarizeRunInputSchema.safeParse({ ...input, ...change }).success).toBe(accepted);
  });
});
