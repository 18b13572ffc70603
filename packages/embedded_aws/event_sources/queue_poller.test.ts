import { describe, expect, it } from 'vitest';
import type { MappingArgs } from './mapping_settings.ts';
import type { QueueSettings } from '../sqs/queue.ts';
import {
  type Answer,
  FAILED,
  redelivered,
  startMappings,
  THROTTLED,
} from './testing/mappings_fixture.ts';

// Not proved here: the form of events, roles, and functions that run; event_sources.test.ts has them.

function start(
  answer?: Answer,
  args: Partial<MappingArgs> = {},
  settings: Partial<QueueSettings> = {},
) {
  const fixture = startMappings(answer);
  const queue = fixture.queue('jobs', settings);
  fixture.add({ eventSourceArn: queue.settings.arn, ...args });
  const send = (bodies: string): void => {
    for (const body of bodies.split(' ')) queue.send({ body, attributes: {} });
  };
  return { ...fixture, jobs: queue, send };
}

const isEmpty = { available: 0, delayed: 0, 'in flight': 0 };

describe('a queue', () => {
  it('is delivered at once, in batches, and each deleted once its function is done', async () => {
    const { time, batches, send, jobs, mappings } = start();
    send('1 2 3 4 5 6 7 8 9 10 11');
    expect(mappings.isIdle).toBe(false);
    await time.pass(0);
    expect(batches).toStrictEqual(['1 2 3 4 5 6 7 8 9 10', '11']);
    expect([jobs.counts, mappings.isIdle, time.waiting]).toStrictEqual([isEmpty, true, 0]);
  });

  it('has several batches at once, as many as its mapping says', async () => {
    for (const [maximumConcurrency, most] of [
      [undefined, 5],
      [2, 2],
    ] as const) {
      const { promise, resolve } = Promise.withResolvers<object>();
      const { time, batches, send } = start(() => promise, {
        batchSize: 1,
        ...(maximumConcurrency && { scalingConfig: { maximumConcurrency } }),
      });
      send('1 2 3 4 5 6 7');
      await time.pass(0);
      expect(batches).toHaveLength(most);
      resolve({});
      await time.pass(0);
      expect(batches).toHaveLength(7);
    }
  });

  it('waits for a batch to fill, until its window is over', async () => {
    const { time, batches, send } = start(undefined, {
      batchSize: 12,
      maximumBatchingWindowInSeconds: 10,
    });
    send('1 2');
    await time.pass(9_000);
    send('3');
    await time.pass(999);
    expect(batches).toStrictEqual([]);
    await time.pass(1);
    expect(batches).toStrictEqual(['1 2 3']);
    send('1 2 3 4 5 6 7 8 9 10 11 12 13');
    await time.pass(0);
    expect(batches[1]).toBe('1 2 3 4 5 6 7 8 9 10 11 12');
  });

  it('is waited for as long as a message is delayed', async () => {
    const { time, batches, jobs, mappings } = start();
    jobs.send({ body: '1', attributes: {} }, 60);
    const idle = mappings.idle();
    await time.pass(59_999);
    expect([batches, mappings.isIdle]).toStrictEqual([[], false]);
    await time.pass(1);
    await idle;
    expect(batches).toStrictEqual(['1']);
  });

  it('loses what the filter leaves out', async () => {
    const { time, batches, jobs, send } = start(undefined, {
      filterCriteria: { filters: [{ pattern: '{"body": {"kind": ["line"]}}' }] },
    });
    send('{"kind":"line"} {"kind":"word"} line');
    await time.pass(0);
    expect([batches, jobs.counts]).toStrictEqual([['{"kind":"line"}'], isEmpty]);
  });

  it('has batches of 6 MB at most', async () => {
    const { time, batches, send } = start();
    send(Array(8).fill('x'.repeat(1_000_000)).join(' '));
    await time.pass(0);
    expect(batches.map((batch) => batch.split(' ').length)).toStrictEqual([6, 2]);
  });

  it('keeps its messages as long as its mapping is not enabled', async () => {
    const { time, batches, jobs, send, mappings } = start(undefined, { enabled: false });
    send('1');
    await time.pass(0);
    expect([batches, jobs.counts.available, mappings.isIdle]).toStrictEqual([[], 1, true]);
    const [mapping] = mappings.all;
    if (mapping === undefined) throw new Error('no mapping');
    mappings.setEnabled(mapping, true);
    await time.pass(0);
    expect(batches).toStrictEqual(['1']);
  });
});

describe('a batch that fails', () => {
  it('is visible again after the visibility timeout, and after its receipts goes to the dead-letter queue', async () => {
    const fixture = startMappings(() => FAILED);
    const { time, batches, mappings } = fixture;
    const dead = fixture.queue('dead');
    const jobs = fixture.queue('jobs', {
      redrive: { deadLetterTargetArn: dead.settings.arn, maxReceiveCount: 2 },
    });
    fixture.add({ eventSourceArn: jobs.settings.arn });
    jobs.send({ body: '1', attributes: {} });
    await time.pass(29_999);
    expect(batches).toStrictEqual(['1']);
    await time.pass(1);
    expect([batches, mappings.isIdle]).toStrictEqual([['1', '1'], false]);
    await time.pass(30_000);
    expect([batches.length, jobs.counts, mappings.isIdle]).toStrictEqual([2, isEmpty, true]);
    expect(dead.receive(1)[0]?.body).toBe('1');
  });

  it('in part is deleted in part', async () => {
    const { time, batches, send, events } = start(
      (_, invocation) =>
        invocation === 1
          ? {
              batchItemFailures: events[0]?.Records.slice(0, 1).map(({ messageId }) => ({
                itemIdentifier: messageId,
              })),
            }
          : {},
      { functionResponseTypes: ['ReportBatchItemFailures'] },
    );
    send('1 2');
    await time.pass(30_000);
    expect(batches).toStrictEqual(['1 2', '1']);
  });

  it('because of throttling is tried again for the visibility timeout, and is received again after it', async () => {
    const { time, batches, jobs } = start(() => THROTTLED);
    jobs.send({ body: '1', attributes: {} });
    // After 1, 3, 7 and 15 seconds; the next would be after 31.
    await time.pass(29_999);
    expect(batches).toHaveLength(5);
    await time.pass(1);
    expect(batches).toHaveLength(6);
    expect(jobs.counts['in flight']).toBe(1);
    await time.pass(1_000);
    expect(batches).toHaveLength(7);
  });

  it.each([
    ['done', {}],
    ['failed', FAILED],
  ])(
    'is another’s when its function took longer than it was hidden, and is %s then',
    async (_, answer) => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      const { time, batches, jobs, send } = start((_batch, invocation) =>
        invocation === 1 ? promise : FAILED,
      );
      send('1');
      await time.pass(30_000);
      expect(batches).toStrictEqual(['1', '1']);
      resolve(answer);
      await time.pass(0);
      expect(jobs.counts['in flight']).toBe(1);
      await time.pass(30_000);
      expect(batches).toHaveLength(3);
    },
  );
});

describe('a fault', () => {
  it('delivers a batch again', async () => {
    const { time, batches, send, mappings } = start((_, invocation) =>
      invocation === 1 ? redelivered(0) : {},
    );
    send('1 2');
    await time.pass(0);
    expect([batches, mappings.isIdle]).toStrictEqual([['1 2', '1 2'], true]);
  });
});
