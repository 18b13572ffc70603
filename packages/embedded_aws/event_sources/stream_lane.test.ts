import { describe, expect, it } from 'vitest';
import { MAX_READ_RECORDS } from '../dynamodb/streams/shard.ts';
import { FAILED, redelivered, startMappings, THROTTLED } from './testing/mappings_fixture.ts';

// Not proved here: the form of events, roles, and functions that run; event_sources.test.ts has them.

/** How long a lane that sleeps needs to see a record. */
const POLL = 250;

/** Fails for batches that have this record. */
const failsFor =
  (poison: string) =>
  (batch: readonly string[]): unknown =>
    batch.includes(poison) ? FAILED : {};

describe('a stream', () => {
  it('is delivered in its order, in batches', async () => {
    const { time, mapStream, write, batches, mappings } = startMappings();
    mapStream({ batchSize: 3 });
    write('1 2 3 4 5 6 7');
    expect(mappings.isIdle).toBe(false);
    await time.pass(POLL - 1);
    expect(batches).toStrictEqual([]);
    await time.pass(1);
    expect([batches, mappings.isIdle]).toStrictEqual([['1 2 3', '4 5 6', '7'], true]);
    write('8');
    await time.pass(POLL);
    expect(batches.at(-1)).toBe('8');
  });

  it('costs nothing as long as nothing is written', async () => {
    const { time, mapStream, write } = startMappings();
    mapStream({ maximumBatchingWindowInSeconds: 5 });
    expect(time.waiting).toBe(0);
    write('1');
    await time.pass(60_000);
    expect(time.waiting).toBe(0);
  });

  it.each([
    ['TRIM_HORIZON', ['old new']],
    ['LATEST', ['new']],
  ])('is read from %s', async (startingPosition, expected) => {
    const { time, mapStream, write, batches } = startMappings();
    write('old');
    mapStream({ startingPosition });
    write('new');
    await time.pass(POLL);
    expect(batches).toStrictEqual(expected);
  });

  it.each([
    [1, 1],
    [10, 3],
  ])(
    'has with a parallelization factor of %d so many batches of a shard at once: %d',
    async (parallelizationFactor, most) => {
      const { promise, resolve } = Promise.withResolvers<object>();
      const { time, mapStream, write, batches, streams } = startMappings(() => promise);
      mapStream({ parallelizationFactor, batchSize: 1 });
      const shard = streams.all[0]?.shards[0];
      for (let at = 0; shard?.end !== 3; at++) write(`${at}`, `key ${at}`);
      const keys = [0, 1, 2].map((at) => shard.at(at)?.record.dynamodb.Keys['SK']?.S);
      const ofShard = () => batches.filter((batch) => keys.includes(batch));

      await time.pass(POLL);
      expect(ofShard()).toHaveLength(most);
      resolve({});
      await time.pass(POLL);
      expect(ofShard()).toHaveLength(3);
    },
  );

  it('waits for a batch to fill, until its window is over', async () => {
    const { time, mapStream, write, batches } = startMappings();
    mapStream({ batchSize: 3, maximumBatchingWindowInSeconds: 10 });
    write('1');
    await time.pass(POLL + 9_000);
    write('2');
    await time.pass(999);
    expect(batches).toStrictEqual([]);
    await time.pass(1);
    expect(batches).toStrictEqual(['1 2']);
    write('3 4 5 6');
    await time.pass(POLL);
    expect(batches).toStrictEqual(['1 2', '3 4 5']);
    write('7');
    await time.pass(0);
    write('8');
    await time.pass(0);
    expect(batches.at(-1)).toBe('6 7 8');
  });

  it('is not delivered as far as the filter leaves it out', async () => {
    const { time, mapStream, write, batches, mappings } = startMappings();
    mapStream({
      filterCriteria: {
        filters: ['1', '3'].map((SK) => ({
          pattern: JSON.stringify({ dynamodb: { Keys: { SK: { S: [SK] } } } }),
        })),
      },
    });
    write('1 2 3 4');
    write('5');
    await time.pass(POLL);
    expect([batches, mappings.isIdle]).toStrictEqual([['1 3'], true]);
  });

  it('has batches of 6 MB at most', async () => {
    const { time, mapStream, batches, streams } = startMappings();
    mapStream();
    const table = streams.all[0]?.table;
    if (table === undefined) throw new Error('no table');
    for (let at = 0; at < 20; at++) {
      const row = { PK: { S: 'one' }, SK: { S: `${at}` }, text: { S: 'x'.repeat(390_000) } };
      streams.record(table, undefined, row);
    }
    await time.pass(POLL);
    expect(batches.map((batch) => batch.split(' ').length)).toStrictEqual([16, 4]);
  });

  it('goes on where it was when its mapping is enabled again', async () => {
    const { time, mapStream, write, batches, mappings } = startMappings();
    mapStream({ enabled: false });
    write('1');
    await time.pass(POLL);
    expect([batches, mappings.isIdle]).toStrictEqual([[], true]);
    const [mapping] = mappings.all;
    if (mapping === undefined) throw new Error('no mapping');
    mappings.setEnabled(mapping, true);
    await time.pass(POLL);
    mappings.setEnabled(mapping, false);
    write('2');
    await time.pass(POLL);
    mappings.setEnabled(mapping, true);
    await time.pass(POLL);
    expect(batches).toStrictEqual(['1', '2']);
  });

  it('keeps what is not delivered, however much it is', async () => {
    const { time, mapStream, write, streams } = startMappings(() => new Promise(() => undefined));
    mapStream();
    write('1');
    await time.pass(POLL);
    const shard = streams.all[0]?.shards.find(({ end }) => end === 1);
    const entry = shard?.at(0);
    if (shard === undefined || entry === undefined) throw new Error('no record');
    for (let at = 0; at < MAX_READ_RECORDS * 1.2; at++) shard.append(entry);
    expect(shard.start).toBe(0);
  });

  it('ends in the middle when all is closed', async () => {
    const { time, mapStream, write, batches, mappings } = startMappings(() => FAILED);
    mapStream();
    write('1');
    await time.pass(POLL);
    mappings.close();
    expect(time.waiting).toBe(0);
    await time.pass(3_600_000);
    expect([batches, time.waiting]).toStrictEqual([['1'], 0]);
  });
});

describe('a batch that fails', () => {
  it('is tried again until it succeeds, and what comes after it waits', async () => {
    const { time, mapStream, write, batches } = startMappings((_, invocation) =>
      invocation <= 3 ? FAILED : {},
    );
    mapStream({ batchSize: 2 });
    write('1 2 3');
    await time.pass(POLL);
    expect(batches).toStrictEqual(['1 2']);
    // A second, two, and four.
    await time.pass(1_000);
    await time.pass(1_999);
    expect(batches).toStrictEqual(['1 2', '1 2']);
    await time.pass(1);
    await time.pass(4_000);
    expect(batches).toStrictEqual(['1 2', '1 2', '1 2', '1 2', '3']);
  });

  it('stops its own shard alone', async () => {
    const { time, mapStream, write, batches } = startMappings(failsFor('poison'));
    mapStream();
    write('poison');
    for (const key of ['a', 'b', 'c', 'd', 'e']) write(key, key);
    await time.pass(POLL);
    expect(batches.join(' ').split(' ').length).toBeGreaterThan(2);
  });

  it('is given up after its retries, and its place sent to the destination', async () => {
    const { time, mapStream, write, batches, queue, streamArn, sequenceNumbers } = startMappings(
      failsFor('2'),
    );
    const discarded = queue('discarded');
    mapStream({
      batchSize: 2,
      maximumRetryAttempts: 2,
      destinationConfig: { onFailure: { destinationArn: discarded.settings.arn } },
    });
    write('1 2 3');
    await time.pass(POLL + 1_000);
    const [start, end] = sequenceNumbers();
    await time.pass(2_000);
    expect(batches).toStrictEqual(['1 2', '1 2', '1 2', '3']);
    const [message, ...others] = discarded.receive(10);
    expect(others).toStrictEqual([]);
    expect(JSON.parse(message?.body ?? '')).toStrictEqual({
      requestContext: {
        requestId: expect.any(String) as string,
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:work',
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 3,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp: '2026-05-01T00:00:03.250Z',
      DDBStreamBatchInfo: {
        shardId: expect.stringMatching(/^shardId-\d{20}-[0-9a-f]{8}$/) as string,
        startSequenceNumber: start,
        endSequenceNumber: end,
        approximateArrivalOfFirstRecord: '2026-05-01T00:00:00Z',
        approximateArrivalOfLastRecord: '2026-05-01T00:00:00Z',
        batchSize: 2,
        streamArn,
      },
    });
  });

  it('is given up when it is too old', async () => {
    const { time, mapStream, write, batches, queue } = startMappings(failsFor('1'));
    const discarded = queue('discarded');
    mapStream({
      maximumRecordAgeInSeconds: 60,
      destinationConfig: { onFailure: { destinationArn: discarded.settings.arn } },
    });
    write('1');
    await time.pass(50_000);
    write('2');
    await time.pass(60_000);
    expect(batches.at(-1)).toBe('2');
    expect(JSON.parse(discarded.receive(1)[0]?.body ?? '')).toMatchObject({
      requestContext: { condition: 'RecordAgeExceeded', approximateInvokeCount: 6 },
      DDBStreamBatchInfo: { batchSize: 1 },
    });
  });

  it('is split in two, which does not count as a retry', async () => {
    const { time, mapStream, write, batches, queue } = startMappings(failsFor('3'));
    const discarded = queue('discarded');
    mapStream({
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: 1,
      destinationConfig: { onFailure: { destinationArn: discarded.settings.arn } },
    });
    write('1 2 3 4');
    await time.pass(60_000);
    expect(batches).toStrictEqual(['1 2 3 4', '1 2', '3 4', '3', '3', '4']);
    expect(JSON.parse(discarded.receive(1)[0]?.body ?? '')).toMatchObject({
      DDBStreamBatchInfo: { batchSize: 1 },
    });
  });

  it('in part is tried again from the first record that has failed', async () => {
    const { time, mapStream, write, batches, events } = startMappings((_, invocation) =>
      invocation === 1
        ? { batchItemFailures: ['3', '2'].map((SK) => ({ itemIdentifier: number(SK) })) }
        : {},
    );
    const number = (SK: string) =>
      events[0]?.Records.find(({ dynamodb }) => dynamodb?.Keys['SK']?.S === SK)?.dynamodb
        ?.SequenceNumber;
    mapStream({ functionResponseTypes: ['ReportBatchItemFailures'] });
    write('1 2 3');
    await time.pass(POLL + 1_000);
    expect(batches).toStrictEqual(['1 2 3', '2 3']);
  });

  it('in part has all its retries for what is left', async () => {
    const { time, mapStream, write, batches, events } = startMappings((batch) => {
      const second = events.at(-1)?.Records[1]?.dynamodb?.SequenceNumber;
      return batch.length > 1 ? { batchItemFailures: [{ itemIdentifier: second }] } : {};
    });
    mapStream({ functionResponseTypes: ['ReportBatchItemFailures'], maximumRetryAttempts: 1 });
    write('1 2 3 4');
    await time.pass(60_000);
    expect(batches).toStrictEqual(['1 2 3 4', '2 3 4', '3 4', '4']);
  });

  it.each<[unknown, string]>([
    [{}, 'success'],
    [null, 'success'],
    ['', 'success'],
    [{ batchItemFailures: null }, 'success'],
    [{ batchItemFailures: [] }, 'success'],
    [{ batchItemFailures: [{ itemIdentifier: '' }] }, 'failure'],
    [{ batchItemFailures: [{ itemIdentifier: null }] }, 'failure'],
    [{ batchItemFailures: [{ id: '1' }] }, 'failure'],
    [{ batchItemFailures: [{ itemIdentifier: '999' }] }, 'failure'],
    [{ batchItemFailures: [null] }, 'failure'],
    [{ batchItemFailures: 'all' }, 'failure'],
    ['done', 'failure'],
  ])('is told by the answer %j: %s of all', async (answer, outcome) => {
    const { time, mapStream, write, batches } = startMappings((_, invocation) =>
      invocation === 1 ? answer : {},
    );
    mapStream({ functionResponseTypes: ['ReportBatchItemFailures'] });
    write('1 2');
    await time.pass(POLL + 1_000);
    expect(batches).toStrictEqual(outcome === 'success' ? ['1 2'] : ['1 2', '1 2']);
  });

  it('is not told by the answer when the mapping does not ask for it', async () => {
    const { time, mapStream, write, batches } = startMappings(() => ({
      batchItemFailures: [{ itemIdentifier: '' }],
    }));
    mapStream();
    write('1');
    await time.pass(60_000);
    expect(batches).toStrictEqual(['1']);
  });

  it('because of throttling is tried again, as often as it takes', async () => {
    const { time, mapStream, write, batches } = startMappings((_, invocation) =>
      invocation <= 3 ? THROTTLED : {},
    );
    mapStream({ maximumRetryAttempts: 0 });
    write('1');
    await time.pass(60_000);
    expect(batches).toStrictEqual(['1', '1', '1', '1']);
  });
});

describe('a fault', () => {
  it.each([
    [0, ['1', '2 3', '2 3', '4']],
    [1, ['1', '2 3', '1 2', '3 4']],
    [9, ['1', '2 3', '1 2', '3 4']],
  ])('delivers a batch again with %d records before it', async (before, expected) => {
    const { time, mapStream, write, batches } = startMappings((_, invocation) =>
      invocation === 2 ? redelivered(before) : {},
    );
    mapStream({ batchSize: 2 });
    write('1');
    await time.pass(POLL);
    write('2 3 4');
    await time.pass(POLL);
    expect(batches).toStrictEqual(expected);
  });
});
