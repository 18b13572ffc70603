import { describe, expect, it } from 'vitest';
import { ItemFailures, type LookingAtItems } from './item_failures.ts';
import { type ScriptedAnswers, scriptedSfn, VirtualTiming } from './testing/scripted_sfn.ts';

const IMAGE_ID = '3f52804b-2fad-4e00-92c8-b593da3a8ed3';
const MANY = { perSecond: 1_000, atOnce: 1_000, inTotal: 1_000 };

/** Children that have ended, `c0` the first of them, with these outputs. */
function children(outputs: readonly unknown[], changes: ScriptedAnswers = {}) {
  const described: string[] = [];
  const scripted = scriptedSfn({
    ListExecutions: ({ mapRunArn, statusFilter }) => {
      expect([mapRunArn, statusFilter]).toStrictEqual(['map', 'SUCCEEDED']);
      return {
        executions: outputs.map((_, at) => ({ executionArn: `c${at}` })).toReversed(),
      };
    },
    DescribeExecution: ({ executionArn }) => {
      described.push(String(executionArn));
      return { output: JSON.stringify(outputs[Number(String(executionArn).slice(1))]) };
    },
    ...changes,
  });
  return { ...scripted, described };
}

function looking(sfn: ReturnType<typeof children>['sfn'], limits: LookingAtItems = MANY) {
  const timing = new VirtualTiming();
  return { timing, failures: new ItemFailures(sfn, timing, limits) };
}

function failed(receipt: number) {
  return {
    status: 'error',
    image_id: IMAGE_ID,
    receipt_id: receipt,
    error: 'RateLimited',
    cause: JSON.stringify({ errorType: 'RateLimited', errorMessage: `slow down ${receipt}` }),
  };
}

const embedded = { status: 'success', image_id: IMAGE_ID, receipt_id: 9, reused: false };

describe('failures while an execution runs', () => {
  it('are read from what ended, the newest first, each looked at once', async () => {
    const outputs: unknown[] = [failed(1), embedded, failed(2)];
    const { sfn, described } = children(outputs);
    const { failures } = looking(sfn);

    const first = await failures.look('map');
    outputs.push(embedded, failed(3));
    const second = await failures.look('map');

    expect(first).toStrictEqual([
      `${IMAGE_ID} 2: RateLimited: slow down 2`,
      `${IMAGE_ID} 1: RateLimited: slow down 1`,
    ]);
    expect(second).toStrictEqual([`${IMAGE_ID} 3: RateLimited: slow down 3`]);
    expect(described).toStrictEqual(['c2', 'c1', 'c0', 'c4', 'c3']);
    expect([failures.lookedAt, failures.failed]).toStrictEqual([5, 3]);
  });

  it('are those of batches too', async () => {
    const batches = [
      { status: 'error', batch_id: 'a', error: 'States.Timeout', cause: '' },
      { status: 'refused', batch_id: 'b', error: 'QuotaExhausted', cause: 'no quota', released: 3 },
      { status: 'running', batch_id: 'c' },
    ];
    const { failures } = looking(children(batches).sfn);

    expect(await failures.look('map')).toStrictEqual([
      'b: QuotaExhausted: no quota',
      'a: States.Timeout: the function did not answer within its time limit (States.Timeout)',
    ]);
  });

  it.each([undefined, null, 'text', 7, [], { status: 'error' }])(
    'are not read from an output of another kind: %j',
    async (output) => {
      const { failures } = looking(children([output]).sfn);

      expect(await failures.look('map')).toStrictEqual([]);
      expect([failures.lookedAt, failures.takeProblem()]).toStrictEqual([1, undefined]);
    },
  );

  it('cost so many requests a second, and not too many at once', async () => {
    const { sfn, described } = children(Array<object>(500).fill(embedded));
    const { failures, timing } = looking(sfn, { perSecond: 2, atOnce: 10, inTotal: 1_000 });
    const counts: number[] = [];
    for (const milliseconds of [0, 0, 400, 400, 400, 3_000, 60_000]) {
      await timing.sleep(milliseconds);
      await failures.look('map');
      counts.push(described.length);
    }

    expect(counts).toStrictEqual([10, 10, 10, 11, 12, 18, 28]);
  });

  it('cost so many requests in total', async () => {
    const { sfn, asked, described } = children(Array<object>(500).fill(embedded));
    const { failures, timing } = looking(sfn, { perSecond: 100, atOnce: 100, inTotal: 150 });
    for (let look = 0; look < 5; look++) {
      await failures.look('map');
      await timing.sleep(10_000);
    }

    expect(described).toHaveLength(150);
    expect(asked.filter((operation) => operation === 'ListExecutions')).toHaveLength(2);
  });

  it('wait for another look when AWS has no time for them', async () => {
    let busy = true;
    const { sfn } = children([failed(1)], {
      ListExecutions: () => {
        if (busy) throw Object.assign(new Error('slower'), { name: 'ThrottlingException' });
        return { executions: [{ executionArn: 'c0' }] };
      },
    });
    const { failures } = looking(sfn);

    expect([await failures.look('map'), failures.takeProblem()]).toStrictEqual([[], undefined]);
    busy = false;
    expect(await failures.look('map')).toHaveLength(1);
  });

  it('are given up where they may not be looked at, once and for all', async () => {
    const { sfn, asked } = children([failed(1)], {
      ListExecutions: () => {
        throw Object.assign(new Error('not you'), { name: 'AccessDeniedException' });
      },
    });
    const { failures } = looking(sfn);
    await failures.look('map');
    await failures.look('map');

    expect([failures.takeProblem(), failures.takeProblem()]).toStrictEqual([
      'AccessDeniedException: not you',
      undefined,
    ]);
    await failures.look('map');
    expect(asked).toStrictEqual(['ListExecutions']);
  });

  it('keep what was found before a request failed', async () => {
    const { sfn } = children([failed(1), failed(2)], {
      DescribeExecution: ({ executionArn }) => {
        if (executionArn === 'c0') throw Object.assign(new Error('cut'), { code: 'ECONNRESET' });
        return { output: JSON.stringify(failed(2)) };
      },
    });
    const { failures } = looking(sfn);

    expect(await failures.look('map')).toHaveLength(1);
    expect([failures.lookedAt, failures.failed]).toStrictEqual([1, 1]);
  });
});
