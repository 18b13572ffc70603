import '../../tests/support/function_environment.ts';
import { describe, expect, it } from 'vitest';
import { aBatch, ourBatch } from '../../tests/support/batch_factory.ts';
import { collect } from '../../tests/support/collect.ts';
import { yielding } from '../../tests/support/yielding.ts';
import { endWithoutResults, idsOf, releaseBatchInputSchema } from './handler.ts';

const input = {
  batch_id: aBatch().batch_id,
  execution_name: 'poll-1',
  execution_id: 'arn:poll-1',
  batch_status: 'EXPIRED' as const,
  reason: 'too slow',
  input_file_id: 'file_1',
};

async function idsFor(batch: Parameters<typeof idsOf>[0]) {
  const recovered: unknown[] = [];
  const ids = await idsOf(batch, {
    plannedIds: () => yielding(['planned-1', 'planned-2']),
    requestedIds: () => yielding(['requested-1']),
    recoverIds: (foreign) => {
      recovered.push(foreign.batch_id);
      return Promise.resolve();
    },
  });
  return {
    ids: await collect(ids.requested),
    ...(ids.planned === undefined ? {} : { planned: await collect(ids.planned) }),
    recovered,
  };
}

describe('what a batch may have claimed', () => {
  it('is what it has asked for, when that is on record, and all of its plan beside that', async () => {
    expect(await idsFor(ourBatch({ requested: 1 }))).toStrictEqual({
      ids: ['requested-1'],
      planned: ['planned-1', 'planned-2'],
      recovered: [],
    });
  });

  it('is all of its plan, when it died before', async () => {
    expect(await idsFor(ourBatch({ status: 'SUBMITTING' }))).toStrictEqual({
      ids: ['planned-1', 'planned-2'],
      recovered: [],
    });
  });

  it('is recovered for an older system’s batch, and read from what was kept of it', async () => {
    const foreign = aBatch();

    expect(await idsFor(foreign)).toStrictEqual({
      ids: ['requested-1'],
      recovered: [foreign.batch_id],
    });
  });

  it('is not recovered twice', async () => {
    const foreign = aBatch({ requested: 1 });

    expect(await idsFor(foreign)).toStrictEqual({ ids: ['requested-1'], recovered: [] });
  });
});

describe('a batch without results', () => {
  it('ends as OpenAI says', () => {
    expect(endWithoutResults(input, ourBatch())).toStrictEqual({
      status: 'EXPIRED',
      reason: 'too slow',
      prompt_tokens: 0,
    });
  });

  it('has FAILED where its results can not be had any more, with what the function said', () => {
    const failure = {
      Error: 'ResultsExpired',
      Cause: JSON.stringify({ errorType: 'ResultsExpired', errorMessage: 'the file is gone' }),
    };

    expect(
      endWithoutResults({ ...input, batch_status: 'COMPLETED', failure }, ourBatch()),
    ).toStrictEqual({ status: 'FAILED', reason: 'the file is gone', prompt_tokens: 0 });
  });

  it('keeps the tokens that are on record', () => {
    expect(endWithoutResults(input, ourBatch({ prompt_tokens: 7 })).prompt_tokens).toBe(7);
  });
});

describe('the input of releasing a batch', () => {
  it.each([
    ['what polling answers', {}],
    ['no reason and no file', { reason: null, input_file_id: null }],
    ['a failed download', { failure: { Error: 'ResultsExpired', Cause: '{}' } }],
  ])('may be %s', (_, change) => {
    expect(releaseBatchInputSchema.parse({ ...input, ...change })).toStrictEqual({
      ...input,
      ...change,
    });
  });

  it.each([
    ['a batch that has not ended', { batch_status: 'IN_PROGRESS' }, ['batch_status']],
    ['half a failure', { failure: { Error: 'ResultsExpired' } }, ['failure.Cause']],
    [
      'much at once',
      { batch_id: 'batch_1', execution_name: '', reason: undefined },
      ['batch_id', 'execution_name', 'reason'],
    ],
  ])('is refused with %s, and all problems are named', (_, change, fields) => {
    const { error } = releaseBatchInputSchema.safeParse({ ...input, ...change });

    expect(error?.issues.map(({ path }) => path.join('.'))).toStrictEqual(fields);
  });
});
