import { describe, expect, it } from 'vitest';
import { rejection } from '../../tests/support/rejection.ts';
import { yielding } from '../../tests/support/yielding.ts';
import {
  type PolledBatch,
  polledBatchSchema,
  summarizePoll,
  type SummarizePollInput,
  summarizePollInputSchema,
} from './summarize_poll.ts';

const input: SummarizePollInput = {
  total_batches: 1,
  more: false,
  invalid_rows: 0,
  results: { Bucket: 'batches', Key: 'polls/poll-1/results/manifest.json' },
};

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

function failed(batch_id: string, cause = 'timed out'): PolledBatch {
  return { status: 'error', batch_id, error: 'UpstreamUnavailable', cause };
}

function summarize(
  outcomes: readonly PolledBatch[],
  changes: Partial<SummarizePollInput> = {},
  model = 'text-embedding-3-small',
) {
  return summarizePoll(
    { ...input, total_batches: outcomes.length, ...changes },
    () => yielding(outcomes),
    model,
  );
}

describe('the summary of a poll', () => {
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
      results: { bucket: 'batches', key: 'polls/poll-1/results/manifest.json' },
    });
  });

  it('reads the results that it was told of', async () => {
    const locations: unknown[] = [];
    await summarizePoll(
      input,
      (location) => {
        locations.push(location);
        return yielding([running]);
      },
      'text-embedding-3-small',
    );

    expect(locations).toStrictEqual([input.results]);
  });

  it('has no price for a model that is not on the list, and costs nothing where nothing has ended', async () => {
    expect((await summarize([complete], {}, 'another-model')).estimated_cost_usd).toBeNull();
    expect((await summarize([running])).estimated_cost_usd).toBe(0);
  });

  it('shows the first 20 failures of 21, their causes cut, and counts all', async () => {
    const long = JSON.stringify({ errorMessage: '"'.repeat(1_000) });
    const outcomes = Array.from({ length: 21 }, (_, at) => failed(`${at}`, long));

    const summary = await summarize(outcomes);

    expect([summary.failed, summary.failed_percentage]).toStrictEqual([21, 100]);
    expect(summary.failures).toStrictEqual(
      Array.from({ length: 20 }, (_, at) => ({
        batch_id: `${at}`,
        error: 'UpstreamUnavailable',
        cause: '"'.repeat(300),
      })),
    );
    expect(JSON.stringify(summary).length).toBeLessThan(16 * 1024);
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
});

describe('a result of polling a batch', () => {
  it.each([
    [{ ...running, batch_type: 'LINE_EMBEDDING', batch_status: 'IN_PROGRESS' }, true],
    [{ ...complete, batch_type: 'LINE_EMBEDDING', batch_status: 'EXPIRED', reason: null }, true],
    [failed('c'), true],
    [{ ...complete, released: undefined }, false],
    [{ status: 'error', batch_id: 'c' }, false],
    [{ status: 'submitted', batch_id: 'c', requested: 1 }, false],
  ])('%j is understood: %s', (result, understood) => {
    expect(polledBatchSchema.safeParse(result).success).toBe(understood);
  });
});

describe('the input of the summary', () => {
  it.each([
    ['no batches', { total_batches: 0 }, ['total_batches']],
    ['no results', { results: undefined }, ['results']],
    ['nothing else', { more: 'no', invalid_rows: -1 }, ['more', 'invalid_rows']],
  ])('is refused with %s, and all problems are named', (_, change, fields) => {
    const { error } = summarizePollInputSchema.safeParse({ ...input, ...change });

    expect(error?.issues.map(({ path }) => path.join('.'))).toStrictEqual(fields);
  });
});
