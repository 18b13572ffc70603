import '../../tests/support/function_environment.ts';
import { describe, expect, it } from 'vitest';
import { BATCH_ID } from '../../tests/support/batch_factory.ts';
import { CLAIM_MS } from '../../tests/support/batch_record.ts';
import {
  killedSubmission,
  killsIn,
  submissionSteps,
} from '../../tests/support/submission_kills.ts';
import type { SubmissionWorld } from '../../tests/support/submission_world.ts';
import { yielding } from '../../tests/support/yielding.ts';
import { idsOf } from '../release_batch/handler.ts';
import { batchStatus, type BatchStatusOutput } from './handler.ts';

const STEPS = await submissionSteps();
/** Before its first step took effect there is no batch to recover. */
const KILLS = killsIn(STEPS).slice(1);
const TAKEN_FROM = killsIn(STEPS).findIndex(([name]) => name === 'after create at OpenAI') - 1;

/** Polls, and answers what is to be released. */
async function poll(world: SubmissionWorld): Promise<BatchStatusOutput> {
  const { record } = world;
  const answer = await batchStatus(
    { batch_id: BATCH_ID, execution_name: 'poll-1', execution_id: 'poll-1' },
    {
      claim: () => Promise.resolve(record.claim('poll-1')),
      read: () => Promise.resolve(record.batch),
      update: (changes, options) => {
        record.update('poll-1', changes, options);
        return Promise.resolve();
      },
      findAtOpenai: (since) => Promise.resolve(world.find(since)),
      statusAtOpenai: (id) =>
        Promise.resolve(
          world.openaiBatches.some((batch) => batch.id === id)
            ? {
                status: 'IN_PROGRESS',
                input_file_id: 'file_1',
                output_file_id: null,
                error_file_id: null,
                reason: null,
              }
            : undefined,
        ),
      believeMissing: () => Promise.resolve(),
      clock: () => new Date(world.now),
    },
  );
  const { batch } = record;
  if (answer.action !== 'release' || batch === undefined) return answer;
  const ids = await idsOf(batch, {
    plannedIds: () => yielding(world.rows.keys()),
    requestedIds: () => yielding(world.requestsFile ?? []),
    recoverIds: () => Promise.reject(new Error('the batch is ours')),
  });
  for await (const id of ids.requested) world.release(id);
  for await (const id of ids.planned ?? []) world.release(id);
  record.update('poll-1', { status: 'FAILED' }, { endLease: true });
  return answer;
}

describe('a submission that died', () => {
  it.each(KILLS.slice(0, TAKEN_FROM))(
    '%s, so that OpenAI has nothing of it, is released by a poll',
    async (_, kill) => {
      const world = await killedSubmission(kill);
      world.pass(CLAIM_MS + 1);

      expect((await poll(world)).action).toBe('release');
      expect(world.claimed).toStrictEqual([]);
      // A retry that comes late begins nothing again: what it wanted may be another batch's by now.
      expect((await world.submit()).status).toBe('dropped');
      expect([world.claimed, world.openaiBatches]).toStrictEqual([[], []]);
    },
  );

  it.each(KILLS.slice(TAKEN_FROM))(
    '%s, when OpenAI had taken it, is adopted by a poll',
    async (_, kill) => {
      const world = await killedSubmission(kill);
      world.pass(CLAIM_MS + 1);

      expect((await poll(world)).action).toBe('wait');
      expect(world.record.batch).toMatchObject({
        status: 'IN_PROGRESS',
        openai_batch_id: 'batch_1',
        requested: 2,
      });
      expect(world.claimed).toStrictEqual(['milk', 'bread']);
      expect((await world.submit()).status).toBe('submitted');
      expect(world.openaiBatches).toHaveLength(1);
    },
  );

  it.each(KILLS.slice(0, -1))(
    '%s, a moment ago, is left to its retry by a poll',
    async (_, kill) => {
      const world = await killedSubmission(kill);
      const before = structuredClone(world.record.batch);

      expect((await poll(world)).action).toBe('wait');
      expect(world.record.batch).toStrictEqual(before);
    },
  );
});
