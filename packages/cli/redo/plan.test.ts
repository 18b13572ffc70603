import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  aBatch,
  BATCH_ID,
  OTHER_BATCH_ID,
  ourBatch,
  rowOfBatch,
  wordId,
} from '../../../tests/support/batch_factory.ts';
import { aReceipt, aWord, IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { rowOf } from '../../../tests/support/receipt_table.ts';
import { without } from '../../../tests/support/without.ts';
import { endedBatch, failedIn, RedoWorld, wordRow } from '../../../tests/support/redo_world.ts';

let world: RedoWorld;

beforeAll(async () => {
  world = await RedoWorld.start();
});

afterEach(() => world.reset());

afterAll(() => world.close());

describe('redo batch', () => {
  it('puts back what failed in it, and what it left claimed when it died; nothing of another', async () => {
    await world.put(
      endedBatch(),
      ...[1, 2, 3].map((id) => wordRow(id, 'FAILED')),
      failedIn(BATCH_ID, wordId({ word_id: 1 })),
      failedIn(OTHER_BATCH_ID, wordId({ word_id: 2 })),
      wordRow(4, 'PENDING', BATCH_ID),
      wordRow(5, 'PENDING', OTHER_BATCH_ID),
      wordRow(6, 'PENDING'),
      wordRow(7, 'SUCCESS'),
      failedIn(BATCH_ID, wordId({ word_id: 7 })),
    );

    const { status, stdout } = await world.run(['batch', BATCH_ID, '--yes', '--json']);

    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      what: 'batch',
      batch_id: BATCH_ID,
      planned: { total: 2, words: { FAILED: 1, PENDING: 1 }, live_claims: {} },
      done: { words: 2, changed_meanwhile: 0 },
    });
    expect(await world.words(1, 2, 3, 4, 5, 6, 7)).toStrictEqual([
      'NONE',
      'FAILED',
      'FAILED',
      'NONE',
      ['PENDING', OTHER_BATCH_ID],
      'PENDING',
      'SUCCESS',
    ]);
    expect((await world.run(['batch', BATCH_ID])).stdout).toContain(
      'There is nothing to return to NONE.',
    );
  });

  it.each(['FAILED', 'EXPIRED', 'CANCELLED'] as const)(
    'is for one that is %s, too',
    async (status) => {
      await world.put(endedBatch({ status }), wordRow(1, 'PENDING', BATCH_ID));

      expect((await world.run(['batch', BATCH_ID, '--yes'])).status).toBe(0);
      expect(await world.words(1)).toStrictEqual(['NONE']);
    },
  );

  it.each([
    ['IN_PROGRESS', {}, 'nobody works on it'],
    ['SUBMITTING', {}, 'nobody works on it'],
    [
      'IN_PROGRESS',
      { claimed_by: 'poll-1', claim_expires_at: '2999-01-01T00:00:00Z' },
      'an execution works on it',
    ],
    [
      'FINALIZING',
      {
        attempts: 5,
        parked_at: '2025-03-01T11:00:00Z',
        last_error: 'InvalidConfiguration: no index',
      },
      'it is parked since 2025-03-01T11:00:00Z, after 5 failures; the last one was InvalidConfiguration: no index',
    ],
    ['PENDING', { attempts: 3, retry_at: '2999-01-01T00:00:00Z' }, 'nobody works on it'],
  ] as const)(
    'takes one up again that is %s (%j), and leaves it what it has claimed',
    async (status, changes, why) => {
      const resting = endedBatch({ status, ...changes });
      await world.put(resting, wordRow(1, 'PENDING', BATCH_ID), wordRow(2, 'FAILED'));
      await world.put(failedIn(BATCH_ID, wordId({ word_id: 2 })));

      expect((await world.run(['batch', BATCH_ID, '--dry-run'])).status).toBe(0);
      expect(await world.table.get(resting)).toStrictEqual(resting);
      const ran = await world.run(['batch', BATCH_ID]);

      expect(ran.status).toBe(0);
      expect(ran.stdout).toContain(
        `The batch ${BATCH_ID} is ${status}, so it has not ended: ${why}`,
      );
      expect(ran.stdout).toContain('npx receipts execute batch-poll');
      expect(await world.words(1, 2)).toStrictEqual([['PENDING', BATCH_ID], 'FAILED']);
      expect(await world.table.get(resting)).toStrictEqual(
        without(resting, 'attempts', 'retry_at', 'parked_at'),
      );
    },
  );

  it('leaves the claims of an older system, which name no batch, and says so', async () => {
    await world.put(
      rowOfBatch(aBatch({ status: 'COMPLETED' })),
      wordRow(1, 'FAILED'),
      failedIn(BATCH_ID, wordId({ word_id: 1 })),
      wordRow(2, 'PENDING'),
    );

    const { stdout } = await world.run(['batch', BATCH_ID, '--yes']);

    expect(stdout).toContain("An older system's batch");
    expect(await world.words(1, 2)).toStrictEqual(['NONE', 'PENDING']);
  });

  it('that there is not is a wrong argument', async () => {
    const { status, stderr } = await world.run(['batch', BATCH_ID]);

    expect(status).toBe(2);
    expect(stderr).toContain(`has no batch ${BATCH_ID}`);
  });
});

describe('redo receipt', () => {
  const argv = ['receipt', IMAGE_ID, '1'];

  it('puts back what failed of it, and what is claimed by a batch that has ended or is gone', async () => {
    const gone = '0b7e3f3a-1111-4222-8333-000000000000';
    await world.put(
      endedBatch(),
      rowOfBatch(ourBatch({ batch_id: OTHER_BATCH_ID, status: 'IN_PROGRESS' })),
      wordRow(1, 'FAILED'),
      wordRow(2, 'PENDING', BATCH_ID),
      wordRow(3, 'PENDING', gone),
      wordRow(4, 'PENDING', OTHER_BATCH_ID),
      wordRow(5, 'PENDING'),
      wordRow(6, 'SUCCESS'),
      rowOf.word(aWord({ receipt_id: 2, embedding_status: 'FAILED' })),
    );

    const { status, stdout } = await world.run([...argv, '--yes']);

    expect(status).toBe(0);
    expect(stdout).toContain(`1 stay PENDING: the batch ${OTHER_BATCH_ID} has not ended.`);
    expect(await world.words(1, 2, 3, 4, 5, 6)).toStrictEqual([
      'NONE',
      'NONE',
      'NONE',
      ['PENDING', OTHER_BATCH_ID],
      'NONE',
      'SUCCESS',
    ]);
    const other = rowOf.word(aWord({ receipt_id: 2 }));
    expect((await world.table.get(other))?.['embedding_status']).toBe('FAILED');
  });

  it('leaves claims without an owner while a batch of an older system has not ended', async () => {
    await world.put(rowOfBatch(aBatch({ status: 'IN_PROGRESS' })), wordRow(1, 'PENDING'));

    const { status, stdout } = await world.run(argv);

    expect([status, ...(await world.words(1))]).toStrictEqual([0, 'PENDING']);
    expect(stdout).toContain('There is nothing to return to NONE.');
    expect(stdout).toContain('1 stay PENDING: an older system claimed them');
  });

  it('leaves a claim whose batch is recorded only while it asks', async () => {
    await world.put(wordRow(1, 'PENDING', BATCH_ID));
    const answer = async (): Promise<boolean> => {
      await world.put(rowOfBatch(ourBatch({ status: 'SUBMITTING' })));
      return true;
    };

    const { stdout } = await world.run([...argv, '--json'], { answer });

    expect(JSON.parse(stdout)).toMatchObject({
      planned: { total: 1 },
      done: { words: 0, changed_meanwhile: 1 },
    });
    expect(await world.words(1)).toStrictEqual([['PENDING', BATCH_ID]]);
  });

  it('that there is not is a wrong argument; one without anything to put back is none', async () => {
    const missing = await world.run(argv);
    expect(missing.status).toBe(2);
    expect(missing.stderr).toContain(`has no receipt 1 of the image ${IMAGE_ID}`);

    await world.put(wordRow(1, 'SUCCESS'));
    expect((await world.run(argv)).status).toBe(0);
    await world.reset();
    await world.put(rowOf.receipt(aReceipt()));
    expect((await world.run(argv)).status).toBe(0);
  });
});
