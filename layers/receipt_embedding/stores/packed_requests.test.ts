import { describe, expect, it } from 'vitest';
import { idParts } from './packed_requests.ts';

describe('ids in parts', () => {
  it('are each there once, in their order', () => {
    expect(idParts(['a', 'b', 'a', 'c', 'b'], 2)).toStrictEqual([['a', 'b'], ['c']]);
    expect(idParts([], 2)).toStrictEqual([]);
  });
});
