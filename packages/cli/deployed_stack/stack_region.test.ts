import { describe, expect, it } from 'vitest';
import { stackRegion } from './stack_region.ts';

describe('the region of a stack', () => {
  it('is that of its state machine', () => {
    const realtime_embedding_sf_arn =
      'arn:aws:states:eu-central-1:123456789012:stateMachine:realtime-embedding-sf-dev';

    expect(stackRegion({ realtime_embedding_sf_arn })).toBe('eu-central-1');
  });

  it('is left to the environment where there is no state machine', () => {
    expect(stackRegion({ dynamodb_table_name: 'receipts' })).toBeUndefined();
  });
});
