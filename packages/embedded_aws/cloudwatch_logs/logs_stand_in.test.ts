import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
  type FilterLogEventsCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { type RunningServer, serve } from '../http/server.ts';
import { LogsStandIn } from './logs_stand_in.ts';

let now: number;
let standIn: LogsStandIn;
let server: RunningServer;
let client: CloudWatchLogsClient;

beforeEach(async () => {
  now = 1_000;
  standIn = new LogsStandIn({
    isFunction: (name) => name === 'work',
    clock: () => new Date(now),
  });
  server = await serve(standIn.handle, 0);
  client = new CloudWatchLogsClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  for (const line of ['one a', 'two a b', 'three b']) {
    standIn.write('work', line);
    now += 1_000;
  }
});

afterEach(async () => {
  client.destroy();
  await server.close();
});

async function found(more: Partial<FilterLogEventsCommandInput> = {}) {
  const { events = [] } = await client.send(
    new FilterLogEventsCommand({ logGroupName: '/aws/lambda/work', ...more }),
  );
  return events.map(({ timestamp, message }) => [timestamp, message]);
}

describe('what a function wrote', () => {
  it('is found whole, by its time, by terms, and the first of it', async () => {
    expect(await found()).toStrictEqual([
      [1_000, 'one a'],
      [2_000, 'two a b'],
      [3_000, 'three b'],
    ]);
    expect(await found({ startTime: 2_000, endTime: 2_500 })).toStrictEqual([[2_000, 'two a b']]);
    expect(await found({ filterPattern: '"a" "b"' })).toStrictEqual([[2_000, 'two a b']]);
    expect(await found({ limit: 1 })).toStrictEqual([[1_000, 'one a']]);
  });

  it('is kept as far as its newest lines', async () => {
    for (let line = 0; line < 20_100; line++) standIn.write('work', 'more');
    expect((await found({ filterPattern: '"one a"' })).length).toBe(0);
  });
});

describe('a request', () => {
  it.each([
    ['for what is no function', { logGroupName: '/aws/lambda/no' }, 'ResourceNotFoundException'],
    ['of other patterns', { filterPattern: '{ $.a = 1 }' }, 'InvalidParameterException'],
  ])('%s is refused', async (_, more, name) => {
    expect(await rejection(found(more))).toMatchObject({ name });
  });

  it('of another operation says so', async () => {
    const error = await rejection(client.send(new DescribeLogGroupsCommand({})));
    expect(error).toMatchObject({ message: expect.stringContaining('not implemented') as string });
  });
});
