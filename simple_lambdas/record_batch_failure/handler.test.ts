import '../../tests/support/function_environment.ts';
import { ConcurrentUpdate } from 'receipt-embedding/errors';
import { describe, expect, it } from 'vitest';
import { ourBatch } from '../../tests/support/batch_factory.ts';
import { failureRecord, type FailureRecordPorts } from './handler.ts';

const FAILURE = { batch_id: ourBatch().batch_id, error: 'RateLimited', cause: 'slow down' };

function ports(changes: Partial<FailureRecordPorts>): FailureRecordPorts {
  const unexpected = () => Promise.reject(new Error('nobody asks for it'));
  return { claim: unexpected, read: unexpected, record: unexpected, ...changes };
}

describe('recording why a batch could not be finished', () => {
  it('says how often it was tried, and whether it is parked', async () => {
    const recorded: unknown[] = [];
    const answer = await failureRecord(
      FAILURE,
      ports({
        claim: () => Promise.resolve(ourBatch({ attempts: 4 })),
        record: ({ attempts }) => {
          recorded.push(attempts);
          return Promise.resolve({ attempts: 5, parked: true });
        },
      }),
    );

    expect(answer).toStrictEqual({ status: 'error', ...FAILURE, attempts: 5, parked: true });
    expect(recorded).toStrictEqual([4]);
  });

  it('is no failure where the batch has ended: only the answer of its end was lost', async () => {
    const ended = ourBatch({
      status: 'COMPLETED',
      requested: 6,
      succeeded: 4,
      failed: 1,
      released: 1,
      prompt_tokens: 50,
    });
    const answer = await failureRecord(
      FAILURE,
      ports({ claim: () => Promise.resolve(undefined), read: () => Promise.resolve(ended) }),
    );

    expect(answer).toStrictEqual({
      status: 'complete',
      batch_id: ended.batch_id,
      batch_type: 'WORD_EMBEDDING',
      batch_status: 'COMPLETED',
      requested: 6,
      succeeded: 4,
      failed: 1,
      released: 1,
      prompt_tokens: 50,
      reason: null,
    });
  });

  it.each([
    ['has the lease', { claim: () => Promise.resolve(undefined) }],
    [
      'takes the lease meanwhile',
      {
        claim: () => Promise.resolve(ourBatch()),
        record: () => Promise.reject(new ConcurrentUpdate('lost')),
      },
    ],
  ])('leaves a batch alone of which another execution %s', async (_, changes) => {
    const read = () => Promise.resolve(ourBatch({ status: 'IN_PROGRESS' }));

    expect(await failureRecord(FAILURE, ports({ read, ...changes }))).toStrictEqual({
      status: 'error',
      ...FAILURE,
      attempts: null,
      parked: false,
    });
  });
});
