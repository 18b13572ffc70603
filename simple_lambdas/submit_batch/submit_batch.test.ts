import {
  ConcurrentUpdate,
  InvalidConfiguration,
  InvalidRequest,
  QuotaExhausted,
  RateLimited,
  UpstreamUnavailable,
} from 'receipt-embedding/errors';
import { SETTLING_MS } from 'receipt-embedding/batches/openai_batches';
import { describe, expect, it } from 'vitest';
import { BATCH_ID } from '../../tests/support/batch_factory.ts';
import { CLAIM_MS } from '../../tests/support/batch_record.ts';
import { rejection } from '../../tests/support/rejection.ts';
import { BATCH, type Moment, SubmissionWorld } from '../../tests/support/submission_world.ts';
import { submitBatchInputSchema } from './submit_batch.ts';

describe('submit batch', () => {
  describe('submitting a batch', () => {
    it('claims its words, brings their requests to OpenAI and records both', async () => {
      const world = new SubmissionWorld();

      expect(await world.submit()).toStrictEqual({
        ...BATCH,
        status: 'submitted',
        requested: 2,
        openai_batch_id: 'batch_1',
        adopted: false,
      });
      expect(world.record.batch).toStrictEqual({
        ...BATCH,
        status: 'PENDING',
        submitted_by: 'submit-1',
        submitted_at: '2025-03-01T10:00:00.000+00:00',
        openai_batch_id: 'batch_1',
        result_file_id: 'N/A',
        receipt_refs: [],
        model: 'text-embedding-3-small',
        dimensions: 1_536,
        requested: 2,
        input_file_id: 'file_1',
        creating_since: '2025-03-01T10:00:00.000+00:00',
      });
      expect([...world.files]).toStrictEqual([['file_1', ['milk', 'bread']]]);
      expect(world.sleeps).toStrictEqual([]);
    });

    it('adopts what it had submitted itself, when only the answer was lost', async () => {
      const world = new SubmissionWorld();
      await world.submit();

      expect(await world.submit()).toStrictEqual({
        ...BATCH,
        status: 'submitted',
        requested: 2,
        openai_batch_id: 'batch_1',
        adopted: true,
      });
      expect(world.record.batch?.claimed_by).toBeUndefined();
      expect(world.files.size).toBe(1);
    });

    it('answers the same while a poll is at work on what it had submitted, and takes nothing from it', async () => {
      const world = new SubmissionWorld();
      await world.submit();
      const polled = world.record.claim('poll-1');

      expect(await world.submit()).toMatchObject({ status: 'submitted', adopted: true });
      expect(world.record.batch).toStrictEqual(polled);
    });

    it('answers the same after the batch has ended', async () => {
      const world = new SubmissionWorld();
      await world.submit();
      world.record.claim('poll-1');
      world.record.update('poll-1', { status: 'COMPLETED' }, { endLease: true });

      expect(await world.submit()).toMatchObject({ status: 'submitted', adopted: true });
      expect(world.record.batch?.status).toBe('COMPLETED');
    });

    it('drops a batch that another execution has submitted', async () => {
      const world = new SubmissionWorld();
      await world.submit();

      expect(await world.submit('submit-2')).toStrictEqual({
        ...BATCH,
        status: 'dropped',
        reason: 'another execution submits or has submitted it',
      });
      expect(world.openaiBatches).toHaveLength(1);
      expect(world.record.batch?.claimed_by).toBeUndefined();
    });

    it('drops a batch of which nothing is left to claim, again with the same reason', async () => {
      const world = new SubmissionWorld();
      for (const id of world.rows.keys()) world.rows.set(id, { status: 'SUCCESS' });
      const dropped = {
        ...BATCH,
        status: 'dropped',
        reason: 'all that is in it was claimed or embedded elsewhere',
      };

      expect(await world.submit()).toStrictEqual(dropped);
      expect(world.record.batch).toMatchObject({
        status: 'CANCELLED',
        reason: dropped.reason,
        requested: 0,
        succeeded: 0,
        failed: 0,
        released: 0,
      });
      expect(world.record.batch?.claimed_by).toBeUndefined();
      expect([world.files.size, world.openaiBatches.length]).toStrictEqual([0, 0]);
      expect(await world.submit()).toStrictEqual(dropped);
    });

    it('gives back what an earlier try had claimed, where it drops the batch because all of that was edited', async () => {
      const world = new SubmissionWorld();
      world.failure = {
        step: 'write requests',
        moment: 'before',
        error: new UpstreamUnavailable('S3 answered 503'),
      };
      await rejection(world.submit());
      world.failure = undefined;
      for (const id of world.claimed) {
        world.rows.set(id, { status: 'PENDING', owner: BATCH_ID, edited: true });
      }

      expect(await world.submit()).toMatchObject({ status: 'dropped' });
      expect(world.claimed).toStrictEqual([]);
      expect(world.record.batch).toMatchObject({ status: 'CANCELLED', requested: 2, released: 2 });
    });

    it('asks for what is on record, although the other path has embedded some of it meanwhile', async () => {
      const world = new SubmissionWorld();
      await rejection(world.submit('submit-1', { step: 7, moment: 'after' }));
      expect(world.steps.at(-1)).toBe('upload');
      world.rows.set('milk', { status: 'SUCCESS' });
      world.pass(CLAIM_MS + 1);

      expect(await world.submit()).toMatchObject({ status: 'submitted', requested: 2 });
      expect(world.requestsFile).toStrictEqual(['milk', 'bread']);
      expect(world.rows.get('milk')).toStrictEqual({ status: 'SUCCESS' });
    });

    it('stops when it has lost its claim to another execution', async () => {
      const world = new SubmissionWorld();
      await rejection(world.submit('submit-1', { step: 5, moment: 'after' }));
      world.pass(CLAIM_MS + 1);
      const taken = world.record.claim('submit-2');
      expect(taken?.claimed_by).toBe('submit-2');

      expect(await world.submit()).toMatchObject({ status: 'dropped' });
      expect(world.openaiBatches).toStrictEqual([]);
      expect(world.claimed).toStrictEqual(['milk', 'bread']);
    });

    it('creates nothing at OpenAI once its claim is lost on the way', async () => {
      const world = new SubmissionWorld();
      world.failure = {
        step: 'update creating_since',
        moment: 'before',
        error: new ConcurrentUpdate('lost'),
      };

      expect((await rejection(world.submit())).name).toBe('ConcurrentUpdate');
      expect(world.openaiBatches).toStrictEqual([]);
    });
  });

  describe('the input of submitting a batch', () => {
    const input = { ...BATCH, execution_name: 'submit-1', execution_id: 'arn:submit-1' };

    it('is what the Map gives', () => {
      expect(submitBatchInputSchema.parse(input)).toStrictEqual(input);
    });

    it.each([
      ['no id', { batch_id: BATCH_ID.slice(1) }, 'batch_id'],
      ['the legacy type', { batch_type: 'EMBEDDING' }, 'batch_type'],
      ['a name that is no folder’s', { execution_name: '../other' }, 'execution_name'],
      ['more than that', { limit: 1 }, ''],
    ])('is refused with %s, which the problem names', (_, change, field) => {
      const { error } = submitBatchInputSchema.safeParse({ ...input, ...change });

      expect(error?.issues.map(({ path }) => path.join('.'))).toStrictEqual([field]);
    });

    it('has all its problems reported at once', () => {
      expect(submitBatchInputSchema.safeParse({ limit: 1 }).error?.issues).toHaveLength(5);
    });
  });
});

describe('submit batch settling', () => {
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

    it('is found at the last look, as long after it was asked for as its creation may take and more', async () => {
      const world = await unanswered('after', { listedAfterMs: SETTLING_MS });

      expect(await world.submit()).toMatchObject({ openai_batch_id: 'batch_1', adopted: true });
      expect(world.openaiBatches).toHaveLength(1);
    });

    it('is created, once, when OpenAI has none by then', async () => {
      const world = await unanswered('before');

      expect(await world.submit()).toMatchObject({ openai_batch_id: 'batch_1', adopted: false });
      expect(world.sleeps).toStrictEqual(Array<number>(SETTLING_MS / 2_000).fill(2_000));
      expect(world.steps.filter((step) => step === 'find at OpenAI')).toHaveLength(
        SETTLING_MS / 2_000 + 1,
      );
      expect(world.openaiBatches).toHaveLength(1);
    });

    it('is not waited for when that time has long passed', async () => {
      const world = await unanswered('before');
      world.pass(SETTLING_MS);

      expect(await world.submit()).toMatchObject({ adopted: false });
      expect(world.sleeps).toStrictEqual([]);
    });

    it('is given that time anew after a request that ran into its time limit', async () => {
      // Asked at 0, given up at 30 seconds, and there 5 seconds later.
      const world = await unanswered('after', { creationMs: 30_000, listedAfterMs: 35_000 });

      expect(await world.submit()).toMatchObject({ openai_batch_id: 'batch_1', adopted: true });
      expect(world.openaiBatches).toHaveLength(1);
    });

    it('is looked for from when it was asked for first, however often the answer is lost', async () => {
      const world = await unanswered('after', { listedAfterMs: 4_000 });
      await rejection(world.submit('submit-1', { step: 4, moment: 'after' }));
      world.pass(CLAIM_MS + 1);

      expect(await world.submit()).toMatchObject({ openai_batch_id: 'batch_1', adopted: true });
      expect(world.openaiBatches).toHaveLength(1);
    });

    it('is adopted although its creation took 25 seconds, the answer to it 30, and another 5 to be listed', async () => {
      // The invocation died while it waited for the answer: nothing tells when OpenAI was done.
      const world = Object.assign(new SubmissionWorld(), {
        creationMs: 25_000,
        listedAfterMs: 35_000,
      });
      const { steps } = await clean();
      const step = steps.indexOf('create at OpenAI') + 1;
      await rejection(world.submit('submit-1', { step, moment: 'after' }));
      world.pass(CLAIM_MS + 1);

      expect(await world.submit()).toMatchObject({ openai_batch_id: 'batch_1', adopted: true });
      expect(world.openaiBatches).toHaveLength(1);
    });
  });

  describe('a second invocation, while the first one is still at work', () => {
    it('creates nothing, wherever the first one is', async () => {
      const { steps } = await clean();
      for (const at of steps.keys()) {
        const world = new SubmissionWorld();
        const second: Promise<unknown>[] = [];
        world.beforeStep = (step) => {
          if (step !== at + 1 || second.length > 0) return;
          second.push(world.submit());
        };

        const first = world.submit();
        const ends = await Promise.allSettled([first]).then(() =>
          Promise.allSettled([first, ...second]),
        );

        // Whoever does not have the lease is sent away, or finds it done.
        const reasons = ends.flatMap((end): unknown[] =>
          end.status === 'rejected' ? [end.reason] : [],
        );
        expect(reasons.every((reason) => reason instanceof ConcurrentUpdate)).toBe(true);
        expect(ends.some(({ status }) => status === 'fulfilled')).toBe(true);
        expect(ends).toHaveLength(2);
        expect(world.openaiBatches).toHaveLength(1);
      }
    });

    it('does not write over the creation that another one has begun', async () => {
      const world = await unanswered('before');
      world.pass(SETTLING_MS);
      world.beforeStep = (_, name) => {
        const { batch } = world.record;
        if (name !== 'update creating_since' || batch === undefined) return;
        world.record.batch = { ...batch, creating_since: '2025-03-01T10:30:00.000+00:00' };
      };

      expect((await rejection(world.submit())).name).toBe('ConcurrentUpdate');
      expect(world.openaiBatches).toStrictEqual([]);
    });
  });

  describe('an input file that OpenAI does not know yet', () => {
    const unknown = new InvalidRequest('OpenAI answered 400 (parameter input_file_id)', {
      fault: 'vendor',
    });

    it('is no verdict: the batch is created a little later', async () => {
      const world = new SubmissionWorld();
      let tries = 0;
      world.beforeStep = (_, name) => {
        if (name !== 'create at OpenAI') return;
        tries++;
        world.failure = tries < 4 ? { step: name, moment: 'before', error: unknown } : undefined;
      };

      expect(await world.submit()).toMatchObject({ status: 'submitted', adopted: false });
      expect(world.sleeps).toStrictEqual([1_000, 2_000, 3_000]);
      expect(world.openaiBatches).toHaveLength(1);
    });

    describe('of an earlier try', () => {
      async function uploadedEarlier(): Promise<SubmissionWorld> {
        const world = new SubmissionWorld();
        const { steps } = await clean();
        const step = steps.indexOf('update input_file_id') + 1;
        await rejection(world.submit('submit-1', { step, moment: 'after' }));
        world.pass(CLAIM_MS + 1);
        return world;
      }

      it('is uploaded anew, and the batch created of that one', async () => {
        const world = await uploadedEarlier();
        world.beforeStep = (_, name) => {
          const gone = world.record.batch?.input_file_id === 'file_1';
          world.failure =
            name === 'create at OpenAI' && gone
              ? { step: name, moment: 'before', error: unknown }
              : undefined;
        };

        expect(await world.submit()).toMatchObject({ status: 'submitted', adopted: false });
        expect(world.openaiBatches.map(({ input_file_id }) => input_file_id)).toStrictEqual([
          'file_2',
        ]);
        expect(world.record.batch?.input_file_id).toBe('file_2');
      });

      it('is uploaded anew once, and refused where that is not seen either', async () => {
        const world = await uploadedEarlier();
        world.failure = { step: 'create at OpenAI', moment: 'before', error: unknown };

        expect(await world.submit()).toMatchObject({ status: 'refused', error: 'InvalidRequest' });
        expect(world.files.size).toBe(2);
        expect(world.claimed).toStrictEqual([]);
      });
    });

    it('is a refusal when it stays so', async () => {
      const world = new SubmissionWorld();
      world.failure = { step: 'create at OpenAI', moment: 'before', error: unknown };

      expect(await world.submit()).toMatchObject({ status: 'refused', error: 'InvalidRequest' });
      expect(world.claimed).toStrictEqual([]);
    });
  });

  async function clean(): Promise<SubmissionWorld> {
    const world = new SubmissionWorld();
    await world.submit();
    return world;
  }
});

describe('submit batch refusals', () => {
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
      'at %s with %s releases what it had claimed, and its record says why',
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

    it('stays refused, killed wherever: what it began to release must not be asked for any more', async () => {
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
          world.pass(CLAIM_MS + 1);

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
        expect(world.record.batch?.status).toBe('SUBMITTING');
        // Nobody works on it: the next invocation need not wait.
        expect(world.record.batch?.claimed_by).toBeUndefined();

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
});
