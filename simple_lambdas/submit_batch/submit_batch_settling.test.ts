import { UpstreamUnavailable } from 'receipt-embedding/errors';
import { describe, expect, it } from 'vitest';
import { rejection } from '../../tests/support/rejection.ts';
import { type Moment, SubmissionWorld } from '../../tests/support/submission_world.ts';

/** A submission whose request for a batch was not answered. */
async function unanswered(
  moment: Moment,
  times: Partial<Pick<SubmissionWorld, 'listedAfterMs' | 'creationMs'>> = {},
): Promise<SubmissionWorld> {
  const world = Object.assign(new SubmissionWorld(), times);
  const error = new UpstreamUnavailable('no answer');
  world.failure = { step: 'create at OpenAI', moment, error };
  await rejection(world.submit());
  world.failure = undefined;
  return world;
}

describe('a batch that OpenAI may have taken without an answer', () => {
  it('is adopted at once when OpenAI lists it', async () => {
    const world = await unanswered('after');

    expect(await world.submit()).toMatchObject({ openai_batch_id: 'batch_1', adopted: true });
    expect(world.sleeps).toStrictEqual([]);
  });

  it('is looked for again until OpenAI lists it, here at the third look', async () => {
    const world = await unanswered('after', { listedAfterMs: 4_000 });

    expect(await world.submit()).toMatchObject({ openai_batch_id: 'batch_1', adopted: true });
    expect(world.sleeps).toStrictEqual([2_000, 2_000]);
    expect(world.openaiBatches).toHaveLength(1);
  });

  it('is found at the last look, 20 seconds after it was asked for', async () => {
    const world = await unanswered('after', { listedAfterMs: 20_000 });

    expect(await world.submit()).toMatchObject({ openai_batch_id: 'batch_1', adopted: true });
    expect(world.openaiBatches).toHaveLength(1);
  });

  it('is created, once, when OpenAI has none after 20 seconds', async () => {
    const world = await unanswered('before');

    expect(await world.submit()).toMatchObject({ openai_batch_id: 'batch_1', adopted: false });
    expect(world.sleeps).toStrictEqual(Array<number>(10).fill(2_000));
    expect(world.steps.filter((step) => step === 'find at OpenAI')).toHaveLength(11);
    expect(world.openaiBatches).toHaveLength(1);
  });

  it('is not waited for when those seconds have long passed', async () => {
    const world = await unanswered('before');
    world.pass(60_000);

    expect(await world.submit()).toMatchObject({ adopted: false });
    expect(world.sleeps).toStrictEqual([]);
  });

  it('is given those 20 seconds anew after a request that ran into its time limit', async () => {
    // Asked at 0, given up at 30 seconds, and there 5 seconds later.
    const world = await unanswered('after', { creationMs: 30_000, listedAfterMs: 35_000 });

    expect(await world.submit()).toMatchObject({ openai_batch_id: 'batch_1', adopted: true });
    expect(world.openaiBatches).toHaveLength(1);
  });

  it('is looked for from when it was asked for first, however often the answer is lost', async () => {
    const world = await unanswered('after', { listedAfterMs: 4_000 });
    await rejection(world.submit('submit-1', { step: 4, moment: 'after' }));

    expect(await world.submit()).toMatchObject({ openai_batch_id: 'batch_1', adopted: true });
    expect(world.openaiBatches).toHaveLength(1);
  });
});
