import { describe, expect, it } from 'vitest';
import { rejection } from '../../tests/support/rejection.ts';
import { yielding } from '../../tests/support/yielding.ts';
import {
  type SubmissionOutcome,
  submissionSchema,
  summarizeSubmit,
  type SummarizeSubmitInput,
  summarizeSubmitInputSchema,
} from './summarize_submit.ts';

const input: SummarizeSubmitInput = {
  total_batches: 1,
  planned: 100,
  receipts: 10,
  more: false,
  invalid_rows: 0,
  results: { Bucket: 'batches', Key: 'submits/submit-1/results/manifest.json' },
};

const submitted: SubmissionOutcome = { status: 'submitted', batch_id: 'a', requested: 40 };
const dropped: SubmissionOutcome = { status: 'dropped', batch_id: 'b' };

function failed(
  batch_id: string,
  status: 'refused' | 'error',
  cause = 'timed out',
): SubmissionOutcome {
  return { status, batch_id, error: 'RateLimited', cause };
}

function summarize(
  outcomes: readonly SubmissionOutcome[],
  changes: Partial<SummarizeSubmitInput> = {},
) {
  return summarizeSubmit({ ...input, total_batches: outcomes.length, ...changes }, () =>
    yielding(outcomes),
  );
}

describe('the summary of a submission', () => {
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
      results: { bucket: 'batches', key: 'submits/submit-1/results/manifest.json' },
    });
  });

  it('reads the results that it was told of', async () => {
    const locations: unknown[] = [];
    await summarizeSubmit(input, (location) => {
      locations.push(location);
      return yielding([dropped]);
    });

    expect(locations).toStrictEqual([input.results]);
  });

  it('shows the first 20 failures of 21, and counts all', async () => {
    const outcomes = Array.from({ length: 21 }, (_, at) => failed(`${at}`, 'error'));

    const summary = await summarize(outcomes);

    expect([summary.failed, summary.failed_percentage]).toStrictEqual([21, 100]);
    expect(summary.failures.map(({ batch_id }) => batch_id)).toStrictEqual(
      Array.from({ length: 20 }, (_, at) => `${at}`),
    );
  });

  it('cuts causes, and stays under half of the 32 KiB that the cause of a failed execution may hold', async () => {
    const outcomes = Array.from({ length: 30 }, () => failed('c', 'error', '"'.repeat(1_000)));

    const summary = await summarize(outcomes);

    expect(summary.failures.map(({ cause }) => cause.length)).toStrictEqual(
      Array<number>(20).fill(300),
    );
    expect(JSON.stringify(summary).length).toBeLessThan(16 * 1024);
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
});

describe('a result of submitting a batch', () => {
  it.each([
    [{ ...submitted, batch_type: 'LINE_EMBEDDING', openai_batch_id: 'x', adopted: false }, true],
    [{ ...dropped, batch_type: 'LINE_EMBEDDING', reason: 'another has it' }, true],
    [{ ...failed('c', 'refused'), batch_type: 'LINE_EMBEDDING', released: 3 }, true],
    [failed('d', 'error'), true],
    [{ status: 'submitted', batch_id: 'a' }, false],
    [{ status: 'refused', batch_id: 'a', error: 'RateLimited' }, false],
    [{ status: 'running', batch_id: 'a' }, false],
  ])('%j is understood: %s', (result, understood) => {
    expect(submissionSchema.safeParse(result).success).toBe(understood);
  });
});

describe('the input of the summary', () => {
  it.each([
    ['no batches', { total_batches: 0 }, ['total_batches']],
    ['fewer than none planned', { planned: -1 }, ['planned']],
    ['no results', { results: { Bucket: 'b' } }, ['results.Key']],
    [
      'nothing of the plan',
      { receipts: null, more: null, invalid_rows: null },
      ['receipts', 'more', 'invalid_rows'],
    ],
  ])('is refused with %s, and all problems are named', (_, change, fields) => {
    const { error } = summarizeSubmitInputSchema.safeParse({ ...input, ...change });

    expect(error?.issues.map(({ path }) => path.join('.'))).toStrictEqual(fields);
  });
});
