import { describe, expect, it } from 'vitest';
import { BATCH_ID } from '../../tests/support/batch_factory.ts';
import { CLAIM_MS } from '../../tests/support/batch_record.ts';
import { rejection } from '../../tests/support/rejection.ts';
import {
  killedSubmission,
  killsIn,
  submissionSteps,
} from '../../tests/support/submission_kills.ts';
import { BATCH, type SubmissionWorld } from '../../tests/support/submission_world.ts';

const KILLS = killsIn(await submissionSteps());

/** What a submission leaves behind. */
function stateOf({ record, rows, requestsFile, files, openaiBatches }: SubmissionWorld) {
  return structuredClone({ batch: record.batch, rows, requestsFile, files, openaiBatches });
}

/** One batch at OpenAI, of exactly what is claimed, and a record that says so. */
function expectSubmittedOnce(world: SubmissionWorld): void {
  expect(world.openaiBatches.map(({ id, batch_id }) => [id, batch_id])).toStrictEqual([
    ['batch_1', BATCH_ID],
  ]);
  const [{ input_file_id } = { input_file_id: '' }] = world.openaiBatches;
  expect(world.files.get(input_file_id)).toStrictEqual(['milk', 'bread']);
  expect([...world.rows]).toStrictEqual([
    ['milk', { status: 'PENDING', owner: BATCH_ID }],
    ['eggs', { status: 'SUCCESS' }],
    ['bread', { status: 'PENDING', owner: BATCH_ID }],
  ]);
  const { batch } = world.record;
  expect(batch).toMatchObject({
    ...BATCH,
    status: 'PENDING',
    openai_batch_id: 'batch_1',
    input_file_id,
    requested: 2,
  });
  expect(batch?.claimed_by).toBeUndefined();
}

describe('a submission', () => {
  it('takes its steps in the order that a crash can do no harm in', async () => {
    expect(await submissionSteps()).toStrictEqual([
      'create',
      'claim milk',
      'claim eggs',
      'claim bread',
      'write requests',
      'update requested',
      'upload',
      'update input_file_id',
      'update creating_since',
      'create at OpenAI',
      'update status openai_batch_id',
    ]);
  });

  it.each(KILLS)(
    'that is killed %s is finished by another try, and paid for once',
    async (_, kill) => {
      const world = await killedSubmission(kill);
      world.pass(CLAIM_MS + 1);

      const { openai_batch_id, requested, status } = submitted(await world.submit());

      expect({ status, openai_batch_id, requested }).toStrictEqual({
        status: 'submitted',
        openai_batch_id: 'batch_1',
        requested: 2,
      });
      expectSubmittedOnce(world);
    },
  );

  it.each(KILLS)(
    'that is killed %s, and again wherever the second try may die, is paid for once',
    async (_, kill) => {
      const second = await killedSubmission(kill);
      second.pass(CLAIM_MS + 1);
      await second.submit();
      for (const [, again] of killsIn(second.steps)) {
        const world = await killedSubmission(kill);
        world.pass(CLAIM_MS + 1);
        await rejection(world.submit('submit-1', again));
        world.pass(CLAIM_MS + 1);

        expect((await world.submit()).status).toBe('submitted');
        expectSubmittedOnce(world);
      }
    },
  );

  it.each(KILLS)(
    'that is killed %s is finished by another execution once the claim has expired',
    async (_, kill) => {
      const world = await killedSubmission(kill);
      world.pass(CLAIM_MS + 1);

      await world.submit('submit-2');

      expectSubmittedOnce(world);
      const before = stateOf(world);
      await world.submit('submit-1');
      expect(stateOf(world)).toStrictEqual(before);
    },
  );

  // Before its first step it has no claim, and after its last one none any more.
  it.each(KILLS.slice(1, -1))(
    'that is killed %s is left alone, by its own retry too, until the lease expires',
    async (_, kill) => {
      const world = await killedSubmission(kill);
      const before = stateOf(world);
      world.pass(CLAIM_MS - 60_000);

      expect(await world.submit('submit-2')).toStrictEqual({
        ...BATCH,
        status: 'dropped',
        reason: 'another execution submits or has submitted it',
      });
      // Its answer may be lost only, and the invocation still at work.
      expect((await rejection(world.submit())).name).toBe('ConcurrentUpdate');
      expect(stateOf(world)).toStrictEqual(before);
      world.pass(60_001);
      expect((await world.submit()).status).toBe('submitted');
      expectSubmittedOnce(world);
    },
  );

  it('that another execution took over is its own from then on, wherever that one dies', async () => {
    const taken = await takenOver();
    await taken.submit('submit-2');
    const kills = killsIn(taken.steps);
    expect(kills).toHaveLength(2 * taken.steps.length);

    for (const [, kill] of kills) {
      const world = await takenOver();
      await rejection(world.submit('submit-2', kill));
      world.pass(CLAIM_MS + 1);

      expect((await world.submit('submit-2')).status).toBe('submitted');
      expectSubmittedOnce(world);
      expect((await world.submit('submit-1')).status).toBe('dropped');
    }
  });
});

/** A submission that died while it claimed, longer ago than a claim lasts. */
async function takenOver(): Promise<SubmissionWorld> {
  const world = await killedSubmission({ step: 3, moment: 'before' });
  world.pass(CLAIM_MS + 1);
  return world;
}

type Output = Awaited<ReturnType<SubmissionWorld['submit']>>;

function submitted(output: Output): Extract<Output, { status: 'submitted' }> {
  if (output.status === 'submitted') return output;
  throw new Error(`it was ${output.status}`);
}
