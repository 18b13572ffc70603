import { describe, expect, it } from 'vitest';
import { ASSUMPTIONS } from './assumptions.ts';
import { idleRunCost, idleTransitions } from './scheduled_run.ts';

// That an execution enters these states is proved in tests/end_to_end/run_alone.test.ts.

describe('a scheduled execution that finds nothing', () => {
  it('enters the states of the lock, and of a list of none', () => {
    // CheckAlone, TakeLock, CheckLock, FindReceipts, CheckReceipts, NoReceipts
    expect(idleTransitions()).toBe(6);
  });

  it('costs most of all these states', () => {
    const usd = idleRunCost('text-embedding-3-small', ASSUMPTIONS);
    const states = idleTransitions() * 0.000_025;

    expect(usd).toBeGreaterThan(states);
    expect(usd).toBeLessThan(1.5 * states);
  });
});
