import {
  InvalidConfiguration,
  InvalidRequest,
  QuotaExhausted,
  RateLimited,
  UpstreamUnavailable,
} from 'receipt-embedding/errors';
import { describe, expect, it } from 'vitest';
import { rejection } from '../../tests/support/rejection.ts';
import { BATCH, type Moment, SubmissionWorld } from '../../tests/support/submission_world.ts';

const REFUSALS = [
  new InvalidRequest('OpenAI answered 400'),
  new InvalidConfiguration('OpenAI answered 401: check the API key'),
  new QuotaExhausted('the account has no quota left'),
];
const ASKING = ['upload', 'create at OpenAI'];

async function refused(step: string, error: Error): Promise<SubmissionWorld> {
  const world = new SubmissionWorld();
  world.failure = { step, moment: 'before', error };
  await world.submit();
  return world;
}

describe('a batch that OpenAI refuses', () => {
  it.each(ASKING.flatMap((step) => REFUSALS.map((error) => [step, error.name, error] as const)))(
    'at %s with %s gives back what it had claimed, and its record says why',
    async (step, name, error) => {
      const world = new SubmissionWorld();
      world.failure = { step, moment: 'before', error };

      expect(await world.submit()).toStrictEqual({
        ...BATCH,
        status: 'refused',
        error: name,
        cause: error.message,
        released: 2,
      });
      expect(world.claimed).toStrictEqual([]);
      expect(world.record.batch).toMatchObject({
        status: 'FAILED',
        reason: error.message,
        openai_batch_id: 'N/A',
        requested: 2,
        succeeded: 0,
        failed: 0,
        released: 2,
      });
      expect(world.record.batch?.claimed_by).toBeUndefined();
      expect(world.openaiBatches).toStrictEqual([]);
    },
  );

  it('is still refused when it is tried again after the answer was lost', async () => {
    const world = await refused('upload', new QuotaExhausted('no quota left'));
    world.failure = undefined;

    expect(await world.submit()).toStrictEqual({
      ...BATCH,
      status: 'refused',
      error: 'QuotaExhausted',
      cause: 'no quota left',
      released: 2,
    });
    expect(world.openaiBatches).toStrictEqual([]);
  });

  it('stays refused, killed wherever: what it began to give back must not be asked for any more', async () => {
    const error = new QuotaExhausted('no quota left');
    const { steps } = await refused('create at OpenAI', error);
    const refusal = steps.indexOf('create at OpenAI');
    const afterwards = steps.slice(refusal + 1);
    // Until the refusal is on record, it may be tried once more.
    for (const at of afterwards.keys()) {
      for (const moment of ['before', 'after'] as const) {
        const world = new SubmissionWorld();
        world.failure = { step: 'create at OpenAI', moment: 'before', error };
        await rejection(world.submit('submit-1', { step: refusal + 2 + at, moment }));
        world.failure = undefined;

        const { status } = await world.submit();

        const unrecorded = at === 0 && moment === 'before';
        expect(status).toBe(unrecorded ? 'submitted' : 'refused');
        expect(world.openaiBatches).toHaveLength(unrecorded ? 1 : 0);
        expect(world.claimed).toStrictEqual(unrecorded ? ['milk', 'bread'] : []);
      }
    }
    expect(afterwards).toHaveLength(4);
  });
});

describe('a vendor that is not to be had just now', () => {
  const TROUBLES = [new RateLimited('slow down'), new UpstreamUnavailable('no answer')];
  const MOMENTS: readonly Moment[] = ['before', 'after'];
  const cases = ASKING.flatMap((step) =>
    TROUBLES.flatMap((error) =>
      MOMENTS.map((moment) => [error.name, moment, step, error] as const),
    ),
  );

  it.each(cases)(
    '(%s %s %s) leaves the batch as it is, to be tried again',
    async (_, moment, step, error) => {
      const world = new SubmissionWorld();
      world.failure = { step, moment, error };

      expect(await rejection(world.submit())).toBe(error);
      expect(world.claimed).toStrictEqual(['milk', 'bread']);
      expect(world.record.batch).toMatchObject({ status: 'SUBMITTING', claimed_by: 'submit-1' });

      world.failure = undefined;
      expect(await world.submit()).toMatchObject({ status: 'submitted', requested: 2 });
      expect(world.openaiBatches).toHaveLength(1);
    },
  );
});

describe('a batch that OpenAI has taken', () => {
  it.each(REFUSALS.map((error) => [error.name, error] as const))(
    'is not given up for %s while it is looked for',
    async (_, error) => {
      const world = new SubmissionWorld();
      world.failure = { step: 'create at OpenAI', moment: 'after', error: new RateLimited('no') };
      await rejection(world.submit());
      world.failure = { step: 'find at OpenAI', moment: 'before', error };

      expect(await rejection(world.submit())).toBe(error);
      expect(world.claimed).toStrictEqual(['milk', 'bread']);
      world.failure = undefined;
      expect(await world.submit()).toMatchObject({ status: 'submitted', adopted: true });
    },
  );

  it.each(REFUSALS.map((error) => [error.name, error] as const))(
    'is not given up for %s of the table',
    async (_, error) => {
      const world = new SubmissionWorld();
      world.failure = { step: 'update status openai_batch_id', moment: 'before', error };

      expect(await rejection(world.submit())).toBe(error);
      expect(world.claimed).toStrictEqual(['milk', 'bread']);
      world.failure = undefined;
      expect(await world.submit()).toMatchObject({ status: 'submitted', adopted: true });
      expect(world.openaiBatches).toHaveLength(1);
    },
  );
});
