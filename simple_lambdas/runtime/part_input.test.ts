import { describe, expect, it } from 'vitest';
import { partInputSchema } from './part_input.ts';

const input = {
  batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70',
  batch_type: 'LINE_EMBEDDING',
  execution_name: 'poll-1',
  part: { key: 'batches/b/results/part-00000.jsonl' },
};

describe('the input of ingesting a part', () => {
  it('is read out of what the Map gives, with what else is there left out', () => {
    expect(partInputSchema.parse({ ...input, upserted: { vectors: 3 } })).toStrictEqual(input);
  });

  it.each([
    ['no key', { part: {} }, ['part.key']],
    ['an older batch type', { batch_type: 'EMBEDDING' }, ['batch_type']],
    ['a name that is no folder’s', { execution_name: 'a/b' }, ['execution_name']],
    [
      'nothing of it',
      { batch_id: '', batch_type: '', execution_name: '', part: null },
      ['batch_id', 'batch_type', 'execution_name', 'part'],
    ],
  ])('is refused with %s, and all problems are named', (_, change, fields) => {
    const { error } = partInputSchema.safeParse({ ...input, ...change });

    expect(error?.issues.map(({ path }) => path.join('.'))).toStrictEqual(fields);
  });
});
