import { describe, expect, it } from 'vitest';
import { RECEIPT } from '../../tests/support/receipt_factory.ts';
import { findReceiptsInputSchema } from './find_receipts.ts';

describe('the input of finding receipts', () => {
  it.each([
    ['nothing', {}],
    ['a limit', { limit: 1 }],
    ['a filter', { filter_by_embedding_status: 'NONE' }],
    ['a key to go on behind', { exclusive_start_key: RECEIPT }],
    ['no key to go on behind', { exclusive_start_key: null }],
    ['force', { force: true }],
    [
      'the context of an execution',
      {
        Id: 'arn:aws:states:us-east-1:123456789012:execution:realtime:run-1',
        Input: { limit: 1 },
        Name: 'run-1',
        RoleArn: 'arn:aws:iam::123456789012:role/realtime',
        StartTime: '2025-03-01T10:00:00.000Z',
        RedriveCount: 1,
        RedriveTime: '2025-03-01T11:00:00.000Z',
      },
    ],
  ])('may be %s', (_, input) => {
    expect(findReceiptsInputSchema.parse(input)).toStrictEqual(input);
  });

  it.each([
    ['a limit of 0', { limit: 0 }, 'limit'],
    ['half a receipt', { limit: 1.5 }, 'limit'],
    ['a limit as text', { limit: '10' }, 'limit'],
    ['the status NOISE', { filter_by_embedding_status: 'NOISE' }, 'filter_by_embedding_status'],
    [
      'a status that there is not',
      { filter_by_embedding_status: 'none' },
      'filter_by_embedding_status',
    ],
    ['force as text', { force: 'true' }, 'force'],
    ['half a key', { exclusive_start_key: { receipt_id: 1 } }, 'exclusive_start_key.image_id'],
    ['a name that is no folder’s', { Name: '../other' }, 'Name'],
  ])('is refused with %s, which the problem names', (_, input, field) => {
    const { error } = findReceiptsInputSchema.safeParse(input);

    expect(error?.issues.map(({ path }) => path.join('.'))).toStrictEqual([field]);
  });

  it('names a key that it does not know: a filter that is misspelt must not embed everything', () => {
    const { error } = findReceiptsInputSchema.safeParse({ filter_by_status: 'NONE' });

    expect(error?.issues.map(({ message }) => message)).toStrictEqual([
      'Unrecognized key: "filter_by_status"',
    ]);
  });

  it('has all its problems reported at once', () => {
    const { error } = findReceiptsInputSchema.safeParse({ limit: 0, force: 1, more: true });

    expect(error?.issues).toHaveLength(3);
  });
});
