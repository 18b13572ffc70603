import { ConcurrentUpdate } from 'receipt-embedding/errors';
import { describe, expect, it } from 'vitest';
import { BATCH_ID } from '../../tests/support/batch_factory.ts';
import { CLAIM_MS } from '../../tests/support/batch_record.ts';
import { rejection } from '../../tests/support/rejection.ts';
import { BATCH, SubmissionWorld } from '../../tests/support/submission_world.ts';
import { submitBatchInputSchema } from './submit_batch.ts';

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
    world.record.update('poll-1', { status: 'COMPLETED' }, { endClaim: true });

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

  it('asks for what is on record, although the other path has embedded some of it meanwhile', async () => {
    const world = new SubmissionWorld();
    await rejection(world.submit('submit-1', { step: 7, moment: 'after' }));
    expect(world.steps.at(-1)).toBe('upload');
    world.rows.set('milk', { status: 'SUCCESS' });

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
  const input = { ...BATCH, execution_name: 'submit-1' };

  it('is what the Map gives', () => {
    expect(submitBatchInputSchema.parse(input)).toStrictEqual(input);
  });

  it.each([
    ['no id', { batch_id: BATCH_ID.slice(1) }, 'batch_id'],
    ['the type of old', { batch_type: 'EMBEDDING' }, 'batch_type'],
    ['a name that is no folder’s', { execution_name: '../other' }, 'execution_name'],
    ['more than that', { limit: 1 }, ''],
  ])('is refused with %s, which the problem names', (_, change, field) => {
    const { error } = submitBatchInputSchema.safeParse({ ...input, ...change });

    expect(error?.issues.map(({ path }) => path.join('.'))).toStrictEqual([field]);
  });

  it('has all its problems reported at once', () => {
    expect(submitBatchInputSchema.safeParse({ limit: 1 }).error?.issues).toHaveLength(4);
  });
});
