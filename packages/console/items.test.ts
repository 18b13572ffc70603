import { deltaKey } from 'receipt-embedding/object_keys';
import { scriptedSfn, VirtualTiming } from 'receipts-cli/executions/testing/scripted_sfn';
import { describe, expect, it } from 'vitest';
import { collect } from '../../tests/support/collect.ts';
import { outcomeOf, Outcomes, readItem, watchRun } from './items.ts';
import type { ConsolePorts } from './ports.ts';

const RUN = 'arn:aws:states:us-east-1:000000000000:execution:realtime:run';
const IMAGE = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const started = new Date('2025-03-01T10:00:00Z');

function portsOf(sfn: ConsolePorts['sfn'], timing = new VirtualTiming()): ConsolePorts {
  return {
    sfn,
    timing,
    isLocal: false,
    outputs: { chromadb_bucket_name: 'vectors' },
    pace: { pollMs: 10, listMs: 10, itemsPerLook: 1 },
    now: () => started,
  } as unknown as ConsolePorts;
}

const outputOf = (receipt_id: number, status: string): string =>
  JSON.stringify({ status, image_id: IMAGE, receipt_id, error: 'RateLimited', cause: 'slow down' });

/** A run of three receipts, of which the second failed in the way that its workflow catches. */
function threeReceipts() {
  return scriptedSfn({
    DescribeExecution: ({ executionArn }) =>
      executionArn === RUN
        ? { executionArn, name: 'run', status: 'SUCCEEDED', startDate: started, stopDate: started }
        : {
            executionArn,
            status: 'SUCCEEDED',
            startDate: started,
            stopDate: started,
            output: outputOf(
              Number(String(executionArn).at(-1)),
              executionArn === 'c2' ? 'error' : 'success',
            ),
          },
    GetExecutionHistory: () => ({ events: [] }),
    ListMapRuns: () => ({ mapRuns: [{ mapRunArn: 'map' }] }),
    DescribeMapRun: () => ({ itemCounts: { total: 3, running: 0, pending: 0 } }),
    ListExecutions: () => ({
      executions: ['c1', 'c2', 'c3'].map((executionArn) => ({
        executionArn,
        status: 'SUCCEEDED',
        startDate: started,
        stopDate: started,
      })),
      nextToken: 'further',
    }),
  });
}

async function eventsOf(outcomes: Outcomes, ports: ConsolePorts) {
  const { signal } = new AbortController();
  return await collect(watchRun(ports, outcomes, { arn: RUN, after: undefined }, signal));
}

describe('the items of a run', () => {
  it('come with what became of each, a few requests a look, and end when all is known', async () => {
    const { sfn, asked } = threeReceipts();
    const events = await eventsOf(new Outcomes(), portsOf(sfn));

    expect(events.filter(({ event }) => event !== 'items')).toMatchObject([
      { event: 'run', data: { name: 'run', status: 'SUCCEEDED' } },
      { event: 'counts', data: { total: 3, done: 3, running: 0, pending: 0 } },
      { event: 'more', data: 'further' },
      { event: 'end' },
    ]);
    const last = new Map(
      events
        .filter(({ event }) => event === 'items')
        .flatMap(({ data }) => data as { readonly arn: string; readonly outcome: string }[])
        .map(({ arn, outcome }) => [arn, outcome]),
    );
    expect(Object.fromEntries(last)).toStrictEqual({ c1: 'success', c2: 'failed', c3: 'success' });
    // One item a look: three looks, each of which describes the run too.
    expect(asked.filter((operation) => operation === 'ListExecutions')).toHaveLength(3);
  });

  it('are asked for once, however often one looks', async () => {
    const { sfn, asked } = threeReceipts();
    const outcomes = new Outcomes();
    await eventsOf(outcomes, portsOf(sfn));
    asked.length = 0;
    await eventsOf(outcomes, portsOf(sfn));
    expect(asked.filter((operation) => operation === 'DescribeExecution')).toHaveLength(1);
  });
});

describe('what became of an item', () => {
  it.each([
    ['SUCCEEDED', outputOf(7, 'success'), 'success', false],
    ['SUCCEEDED', outputOf(7, 'error'), 'failed', true],
    ['SUCCEEDED', outputOf(7, 'refused'), 'failed', true],
    ['SUCCEEDED', outputOf(7, 'skipped'), 'skipped', false],
    ['FAILED', undefined, 'failed', true],
    ['SUCCEEDED', 'no JSON', 'success', false],
  ])('of %s with %s is %s', (status, output, outcome, isFailed) => {
    const input = JSON.stringify({ image_id: IMAGE, receipt_id: 7 });
    expect(outcomeOf(status, input, output)).toStrictEqual({
      outcome,
      isFailed,
      of: `${IMAGE} 7`,
    });
  });

  it('is said in words, with the receipt that it is of', async () => {
    const { sfn } = threeReceipts();
    const item = await readItem(portsOf(sfn), 'c2', new AbortController().signal);
    expect(item).toMatchObject({
      outcome: 'failed',
      failure: { error: 'RateLimited', cause: 'slow down' },
      image_id: IMAGE,
      receipt_id: 2,
      batch_id: null,
      deltas: [],
    });
  });

  it('that was embedded says where its deltas are', async () => {
    const { sfn } = scriptedSfn({
      DescribeExecution: () => ({
        executionArn: 'c',
        status: 'SUCCEEDED',
        output: JSON.stringify({ status: 'success', run_id: 'r1' }),
      }),
      GetExecutionHistory: () => ({ events: [] }),
    });
    const { deltas } = await readItem(portsOf(sfn), 'c', new AbortController().signal);
    expect(deltas).toStrictEqual(
      ['lines', 'words'].map((kind) => `s3://vectors/${deltaKey(kind as 'lines', 'r1')}`),
    );
  });
});
