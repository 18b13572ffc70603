import '../../tests/support/function_environment.ts';
import { describe, expect, it } from 'vitest';
import { lockInputSchema, lockKey } from './handler.ts';

// What becomes of the lock is proved in tests/end_to_end/run_alone.test.ts.

const execution_id =
  'arn:aws:states:us-east-1:123456789012:execution:realtime-embedding-sf-dev:run-1';

describe('the kind of an execution', () => {
  it.each([
    [{}, 'ALL'],
    [{ filter_by_embedding_status: 'NONE' }, 'NONE'],
    [{ filter_by_embedding_status: 'FAILED', limit: 3 }, 'FAILED'],
    [{ entity: 'both', limit: 3 }, 'ALL'],
    [{ entity: 'words' }, 'WORDS'],
  ])('with %j is %s of its state machine', (input, kind) => {
    const parsed = lockInputSchema.parse({ input: { ...input, alone: true }, execution_id });

    expect(lockKey(parsed)).toStrictEqual({ stateMachine: 'realtime-embedding-sf-dev', kind });
  });

  it.each([
    ['a flag that is a text', { alone: 'true' }, 'input.alone'],
    [
      'a status that there is not',
      { alone: true, filter_by_embedding_status: 'none' },
      'input.filter_by_embedding_status',
    ],
  ])('is not told from %s, which the problem names', (_, input, field) => {
    const { error } = lockInputSchema.safeParse({ input, execution_id });

    expect(error?.issues.map(({ path }) => path.join('.'))).toStrictEqual([field]);
  });
});
