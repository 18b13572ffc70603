import { ARRIVALS } from 'receipts-cli/estimate/assumptions';
import { describe, expect, it } from 'vitest';
import { type ArrivalsResult, type ArrivalsSettings, simulateArrivals } from './arrivals_run.ts';

// Not proved here: that AWS's pollers are as they are simulated. tests/end_to_end has the functions with a stream and a queue.

const SETTINGS: ArrivalsSettings = {
  receipts: 40,
  seconds: 1_200,
  seed: '1',
  shards: 4,
  later: true,
  quietSeconds: 30,
  beginningSeconds: 3,
  receiptSeconds: 2,
  upToDateSeconds: 0.5,
  maxConcurrency: 10,
};

const simulated = (settings: Partial<ArrivalsSettings> = {}): Promise<ArrivalsResult> =>
  simulateArrivals({ ...SETTINGS, ...settings });

describe('simulated arrivals', () => {
  it('end with each receipt embedded as it is, and nothing waiting', async () => {
    const { problems, changes, records, noteInvocations, messages, boughtTwice } =
      await simulated();

    expect(problems).toStrictEqual([]);
    expect(new Set(changes.map(({ kind }) => kind)).size).toBe(4);
    expect(changes.filter(({ searchableAfter }) => searchableAfter === undefined)).toStrictEqual(
      [],
    );
    expect(records.own).toBeGreaterThan(0);
    // What our own writes bring about sends nothing.
    expect(noteInvocations.own).toBeGreaterThan(0);
    expect(messages).toBeLessThanOrEqual(noteInvocations.users);
    expect(boughtTwice).toBe(0);
  });

  it('embed each receipt once where nothing changes after it has come', async () => {
    const { problems, embedded, vain, executions } = await simulated({ later: false });

    expect(problems).toStrictEqual([]);
    expect([embedded, vain]).toStrictEqual([40, 0]);
    expect(executions.reduce((sum, receipts) => sum + receipts, 0)).toBe(40);
  });

  it('are the same for the same seed, and others for another', async () => {
    const [once, again, other] = [
      await simulated(),
      await simulated(),
      await simulated({ seed: '2' }),
    ];

    expect(again).toStrictEqual(once);
    expect(other.changes).not.toStrictEqual(once.changes);
  });

  it('are embedded together where they come together', async () => {
    const { problems, executions } = await simulated({ later: false, seconds: 10 });

    expect(problems).toStrictEqual([]);
    expect(executions.length).toBeLessThan(20);
  });

  it('take what the estimate assumes of a receipt that comes alone', async () => {
    const { work, problems } = await simulated({ later: false, seconds: 36_000 });

    expect(problems).toStrictEqual([]);
    for (const [what, each] of Object.entries(ARRIVALS.alone)) {
      const taken = work[what as keyof typeof work] / SETTINGS.receipts;
      expect(taken, what).toBeLessThanOrEqual(each);
      expect(taken, what).toBeGreaterThan(each * 0.7);
    }
  });
});
