import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { aLoggedRun, aRecord } from '../../../tests/support/record_factory.ts';
import { embeddedReceiptCodec, knownRuns, PAST_NAMED } from './embedded_receipt.ts';
import { withoutRuns, withoutTrust, withRun } from './record_changes.ts';

const runId = (number: number): string =>
  `5b7e3f3a-1111-4222-8333-${String(number).padStart(12, '0')}`;
const run = (number: number) => aLoggedRun({ run_id: runId(number) });
const by = { writer: 'request-1', now: '2025-03-01T10:00:00+00:00', stores: ['a'] };

describe('the record of a receipt', () => {
  it('names earlier runs whose deltas are in the log, the newest first, and stays small', () => {
    let record = aRecord({ runs: [run(1)] });
    for (let number = 2; number <= 1_000; number++) {
      record = withRun(record, run(number), { ...by, stores: [] });
    }

    expect(record.past_runs.slice(0, 2)).toStrictEqual([runId(999), runId(998)]);
    expect(record.past_runs).toHaveLength(PAST_NAMED);
    expect(JSON.stringify(z.encode(embeddedReceiptCodec, record)).length).toBeLessThan(20_000);
  });

  it('knows the runs of a receipt that is gone', () => {
    const record = withoutRuns(aRecord({ runs: [run(2), run(1)] }), [], [], by.now);

    expect(knownRuns(record)).toStrictEqual([runId(2), runId(1)]);
  });

  it('trusts nothing once its deltas are being deleted, and knows all the same what there is', () => {
    const stores = { a: { has: [runId(2)], begun: [runId(3)] }, b: { has: [], begun: [] } };

    const record = withoutTrust(aRecord({ runs: [run(2)], past_runs: [runId(1)], stores }));

    expect(record).toMatchObject({
      sequence: 2,
      runs: [],
      past_runs: [runId(2), runId(1)],
      stores: {
        a: { has: [], begun: [runId(2), runId(3)] },
        b: { has: [], begun: [runId(2)] },
      },
    });
    expect(knownRuns(record)).toStrictEqual([runId(2), runId(1), runId(3)]);
  });
});
