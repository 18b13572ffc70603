import type OpenAI from 'openai';
import { beforeEach, describe, expect, it } from 'vitest';
import { expectBatchInvariants } from '../support/batch_invariants.ts';
import { BatchStack } from '../support/batch_stack.ts';
import { OLD_BATCH_ID, type OldBatch, openaiClient, submittedOfOld } from '../support/old_batch.ts';
import { sharing } from '../support/shared_stacks.ts';
import { embeddableCount } from '../support/stack_receipts.ts';

let stack: BatchStack;
let openai: OpenAI;

sharing.beforeAll(({ usual }) => {
  stack = usual;
  openai = openaiClient(stack);
});

beforeEach(async () => {
  await stack.reset();
});

const NO_SUCH_BATCH = 'batch_of_long_ago';

/** The statuses of words, by vector id. */
async function statusesById(): Promise<Map<string, string>> {
  return new Map((await stack.entities()).map(({ id, status }) => [id, status]));
}

/** Long enough ago for OpenAI to have forgotten it. */
const LONG_AGO = '2025-01-01T00:00:00.000+00:00';

describe('a batch that an older system has submitted', () => {
  it('is ingested, and recorded under today’s names', async () => {
    const { words } = await submittedOfOld(stack);

    const polled = await stack.poll();

    expect(polled).toMatchObject({ total: 1, completed: 1, failed: 0, requested: words.length });
    expect(await stack.batch()).toMatchObject({
      batch_type: 'WORD_EMBEDDING',
      status: 'COMPLETED',
      requested: words.length,
      succeeded: words.length,
      failed: 0,
      released: 0,
    });
    const statuses = await statusesById();
    expect(words.filter(({ id }) => statuses.get(id) !== 'SUCCESS')).toStrictEqual([]);
    expect((await stack.vectors()).words.size).toBe(words.length);
    await expectBatchInvariants(stack);
  });

  it('is polled on while it is CANCELING, then has what it brought, and returns the rest to NONE', async () => {
    const { words, openaiBatchId } = await submittedOfOld(stack, 'CANCELING');
    stack.script({
      stays: 'cancelling',
      end: 'cancelled',
      rows: (_, at) => (at < 5 ? 'ok' : undefined),
    });

    expect(await stack.poll()).toMatchObject({ total: 1, running: 1 });
    expect(await stack.batch()).toMatchObject({ status: 'CANCELLING' });
    stack.local.openai.batches.advance(openaiBatchId, 'cancelled');
    await stack.poll();

    expect(await stack.batch()).toMatchObject({
      status: 'CANCELLED',
      requested: words.length,
      succeeded: 5,
      failed: 0,
      released: words.length - 5,
    });
    const statuses = await statusesById();
    expect(words.map(({ id }) => statuses.get(id)).sort()).toStrictEqual([
      ...words.slice(5).map(() => 'NONE'),
      ...words.slice(0, 5).map(() => 'SUCCESS'),
    ]);
    await expectBatchInvariants(stack);
  });

  it('whose requests OpenAI has no more is completed by its results and its receipts', async () => {
    const { words, inputFileId, openaiBatchId } = await submittedOfOld(stack);
    const [refused, missing, reset] = words;
    if (reset === undefined) throw new Error('there are no three words');
    // Only its result says that this one was asked for too.
    await stack.update(reset, { embedding_status: 'NONE', GSI1PK: 'EMBEDDING_STATUS#NONE' });
    stack.script({ rows: { [refused?.id ?? '']: 'refused', [missing?.id ?? '']: 'missing' } });
    stack.local.openai.batches.advance(openaiBatchId, 'completed');
    await stack.updateBatch(OLD_BATCH_ID, { submitted_at: LONG_AGO });
    await openai.files.delete(inputFileId);

    await stack.poll();

    expect(await stack.batch()).toMatchObject({
      status: 'COMPLETED',
      requested: words.length,
      succeeded: words.length - 2,
      failed: 1,
      released: 1,
    });
    const statuses = await statusesById();
    expect([refused, missing, reset].map((word) => statuses.get(word?.id ?? ''))).toStrictEqual([
      'FAILED',
      'NONE',
      'SUCCESS',
    ]);
    await expectBatchInvariants(stack);
  });

  it.each<[string, (batch: OldBatch) => Promise<void>, string]>([
    [
      'has failed',
      () => {
        stack.script({ end: 'failed' });
        return Promise.resolve();
      },
      'UpstreamUnavailable (batch_failed): OpenAI failed',
    ],
    [
      'has failed, and whose requests OpenAI has no more',
      async ({ openaiBatchId, inputFileId }) => {
        stack.script({ end: 'failed' });
        await stack.updateBatch(OLD_BATCH_ID, { submitted_at: LONG_AGO });
        stack.local.openai.batches.advance(openaiBatchId, 'failed');
        await openai.files.delete(inputFileId);
      },
      'UpstreamUnavailable (batch_failed): OpenAI failed',
    ],
    [
      'OpenAI has forgotten',
      async ({ inputFileId }) => {
        // Past its expiry, and the key still sees its requests.
        await stack.updateBatch(OLD_BATCH_ID, {
          openai_batch_id: NO_SUCH_BATCH,
          submitted_at: LONG_AGO,
          input_file_id: inputFileId,
        });
      },
      `OpenAI knows no batch ${NO_SUCH_BATCH}`,
    ],
  ])('that %s gives its words back, to be embedded by us', async (_, happen, reason) => {
    const batch = await submittedOfOld(stack);
    await happen(batch);

    await stack.poll();
    stack.endFaults();

    const { words, receipts } = batch;
    expect(await stack.batch()).toMatchObject({
      status: 'FAILED',
      reason,
      requested: words.length,
      succeeded: 0,
      failed: 0,
      released: words.length,
    });
    const embeddable = receipts.reduce((sum, receipt) => sum + embeddableCount(receipt), 0);
    expect(await stack.statuses()).toMatchObject({ NONE: embeddable });
    await stack.submit();
    await stack.poll();
    expect(await stack.statuses()).toMatchObject({ SUCCESS: embeddable });
    await expectBatchInvariants(stack);
  });

  it('leaves alone what a batch of ours has claimed meanwhile', async () => {
    const { words } = await submittedOfOld(stack);
    stack.script({ otherwise: 'missing' });
    const [word] = words;
    if (word === undefined) throw new Error('no words');
    await stack.update(word, { embedding_status: 'NONE', GSI1PK: 'EMBEDDING_STATUS#NONE' });
    stack.script({ stays: 'in_progress' }, ({ metadata }) => metadata !== null);
    await stack.submit();

    expect(await stack.poll()).toMatchObject({ total: 2, completed: 1, running: 1 });

    expect(await stack.statuses()).toMatchObject({ NONE: words.length - 1, PENDING: 1 });
    const claimed = (await stack.entities()).find(({ status }) => status === 'PENDING');
    expect(claimed).toMatchObject({ id: word.id });
    expect(claimed?.owner).not.toBe(undefined);
    await expectBatchInvariants(stack);
  });
});
