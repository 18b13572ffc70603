import { describe, expect, it } from 'vitest';
import { arrivalCosts, arrivalsLine, type ArrivalWork, idleArrivalsCost } from './arrival_costs.ts';
import { ASSUMPTIONS } from './assumptions.ts';

// That a receipt takes so many invocations and messages is held in bench/arrivals/arrivals_run.test.ts.

const NOTHING: ArrivalWork = {
  note_invocations: 0,
  records: 0,
  start_invocations: 0,
  sqs_requests: 0,
  notes_written: 0,
  notes_read: 0,
  notes_deleted: 0,
  executions: 0,
};

const costs = (work: Partial<ArrivalWork>) => arrivalCosts({ ...NOTHING, ...work }, ASSUMPTIONS);

describe('embedding on arrival', () => {
  it('costs five polls every 20 seconds while nothing arrives', () => {
    // 648,000 requests a month at 0.40 USD a million
    expect(idleArrivalsCost()).toBeCloseTo(0.2592, 6);
  });

  it.each([
    ['a million requests to the queue', 'queue', { sqs_requests: 1_000_000 }, 0.4],
    ['a million notes', 'notes', { notes_written: 1_000_000 }, 0.625],
    ['a million notes that are taken away', 'notes', { notes_deleted: 1_000_000 }, 0.625],
    // 0.1 s of 512 MB, 0.2 USD a million, and 2,500 bytes of logs: 0.667 + 0.2 + 1.25
    ['a million invocations', 'note_arrivals', { note_invocations: 1_000_000 }, 2.117],
  ] as const)('costs for %s what AWS bills, and that alone', (_, part, work, usd) => {
    const { [part]: cost, total } = costs(work);
    expect(cost).toBeCloseTo(usd, 3);
    expect(total).toBe(cost);
  });

  it('costs most for executions of one receipt each: seven states, two functions, a list', () => {
    const { executions, total } = costs({ executions: 1_000 });
    expect(total).toBe(executions);
    expect(executions).toBeGreaterThan(7 * 0.025);
    expect(executions).toBeLessThan(1.5 * 7 * 0.025);
  });

  it('is said for a thousand receipts, together and each alone', () => {
    const [, together, alone] =
      /thousand receipts \$([\d.]+) more if .*, \$([\d.]+) if each/.exec(
        arrivalsLine(140, ASSUMPTIONS),
      ) ?? [];
    expect(Number(together)).toBeGreaterThan(0);
    expect(Number(alone)).toBeGreaterThan(10 * Number(together));
  });
});
