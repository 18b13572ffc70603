import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  type Message,
  PurgeQueueCommand,
  type QueueAttributeName,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { serve } from '../http/server.ts';
import { SteeredTime } from '../testing/steered_time.ts';
import { MAX_MESSAGE_BYTES } from './message.ts';
import type { QueueSettings } from './queue.ts';
import { SqsStandIn } from './sqs_stand_in.ts';

// Not proved here: FIFO queues, policies, tags, encryption and moves out of a dead-letter queue; none of them is here. The SDK's own
// client compares the digests of bodies.

const DEFAULTS = {
  delay: 0,
  visibilityTimeout: 30,
  retention: 345_600,
  receiveWait: 0,
  encrypted: true,
} as const;

let time: SteeredTime;
let stand: SqsStandIn;
let client: SQSClient;
let url: string;
let QueueUrl: string;

beforeEach(async () => {
  time = new SteeredTime();
  const server = await serve((request) => stand.handle(request), 0);
  ({ url } = server);
  QueueUrl = `${url}/000000000000/jobs`;
  let ids = 0;
  stand = new SqsStandIn({
    ...{ clock: time.clock, after: time.after, url },
    region: 'us-east-1',
    accountId: '000000000000',
    newId: () => `id-${++ids}`,
  });
  client = new SQSClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  onTestFinished(async () => {
    stand.close();
    client.destroy();
    await server.close();
  });
});

const create = (changes: Partial<QueueSettings> = {}) =>
  stand.createQueue({ name: 'jobs', ...DEFAULTS, ...changes });

const send = (MessageBody = 'job', more: Partial<SendMessageCommandInput> = {}) =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));

const receive = async (
  more: Partial<ReceiveMessageCommandInput> = {},
): Promise<readonly Message[]> => {
  const request = { QueueUrl, MessageSystemAttributeNames: ['All' as const], ...more };
  return (await client.send(new ReceiveMessageCommand(request))).Messages ?? [];
};

const bodies = async (more: Partial<ReceiveMessageCommandInput> = {}) =>
  (await receive(more)).map(({ Body }) => Body);

const attributes = async (...AttributeNames: QueueAttributeName[]) =>
  (await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }))).Attributes;

/** Visible, not visible, delayed. */
const counts = async () =>
  Object.values(
    (await attributes(
      'ApproximateNumberOfMessages',
      'ApproximateNumberOfMessagesNotVisible',
      'ApproximateNumberOfMessagesDelayed',
    )) ?? {},
  ).join(' ');

describe('a queue', () => {
  it('has a URL and attributes', async () => {
    const dead = stand.createQueue({ name: 'dead', ...DEFAULTS });
    create({ redrive: { deadLetterTargetArn: dead.settings.arn, maxReceiveCount: 3 } });

    expect((await client.send(new GetQueueUrlCommand({ QueueName: 'jobs' }))).QueueUrl).toBe(
      QueueUrl,
    );
    expect(await attributes('All')).toStrictEqual({
      QueueArn: 'arn:aws:sqs:us-east-1:000000000000:jobs',
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '0',
      ApproximateNumberOfMessagesDelayed: '0',
      CreatedTimestamp: '1777593600',
      LastModifiedTimestamp: '1777593600',
      VisibilityTimeout: '30',
      MaximumMessageSize: '1048576',
      MessageRetentionPeriod: '345600',
      DelaySeconds: '0',
      ReceiveMessageWaitTimeSeconds: '0',
      RedrivePolicy:
        '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":3}',
      SqsManagedSseEnabled: 'true',
    });
    expect(await attributes()).toBeUndefined();
  });

  it('is listed, page by page', async () => {
    for (const name of ['b', 'a', 'other', 'c']) stand.createQueue({ ...DEFAULTS, name });
    const list = (more = {}) => client.send(new ListQueuesCommand(more));
    const first = await list({ MaxResults: 3 });
    const rest = await list({ MaxResults: 3, NextToken: first.NextToken });
    expect([first.QueueUrls, rest.QueueUrls, rest.NextToken]).toStrictEqual([
      ['a', 'b', 'c'].map((name) => `${url}/000000000000/${name}`),
      [`${url}/000000000000/other`],
      undefined,
    ]);
    expect((await list({ QueueNamePrefix: 'o' })).QueueUrls).toHaveLength(1);
    expect((await list({ QueueNamePrefix: 'z' })).QueueUrls).toBeUndefined();
  });

  it.each<[string, Partial<QueueSettings>, string]>([
    ['is a FIFO queue', { name: 'jobs.fifo' }, 'is a FIFO queue'],
    ['has a wrong name', { name: 'jobs of mine' }, 'alphanumeric characters'],
    [
      'has a dead-letter queue that is not there',
      { redrive: { deadLetterTargetArn: 'arn:none', maxReceiveCount: 1 } },
      'Dead letter target does not exist.',
    ],
  ])('is refused when it %s', (_, changes, message) => {
    expect(() => create(changes)).toThrow(message);
  });

  it('is emptied by a purge', async () => {
    create();
    await send();
    await send('later', { DelaySeconds: 5 });
    await client.send(new PurgeQueueCommand({ QueueUrl }));
    expect([await counts(), time.waiting]).toStrictEqual(['0 0 0', 0]);
  });
});

describe('a message', () => {
  it('is received with what SQS says of it, and is gone once it is deleted', async () => {
    create();
    const { MessageId, MD5OfMessageAttributes } = await send('job ä', {
      MessageAttributes: {
        kind: { DataType: 'String', StringValue: 'line' },
        bytes: { DataType: 'Binary.gz', BinaryValue: Uint8Array.of(1, 2, 3) },
        'trace.id': { DataType: 'Number', StringValue: '7' },
      },
    });
    await time.pass(1_500);
    const [message] = await receive({ MessageAttributeNames: ['All'] });
    expect(message).toStrictEqual({
      MessageId,
      ReceiptHandle: expect.any(String) as string,
      Body: 'job ä',
      MD5OfBody: 'ca5a21e44e57aceaa32ee9812afd83b1',
      Attributes: {
        ApproximateReceiveCount: '1',
        ApproximateFirstReceiveTimestamp: '1777593601500',
        SenderId: expect.any(String) as string,
        SentTimestamp: '1777593600000',
      },
      MD5OfMessageAttributes,
      MessageAttributes: {
        kind: { DataType: 'String', StringValue: 'line' },
        bytes: { DataType: 'Binary.gz', BinaryValue: Uint8Array.of(1, 2, 3) },
        'trace.id': { DataType: 'Number', StringValue: '7' },
      },
    });
    const { ReceiptHandle } = message ?? {};
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    await time.pass(60_000);
    expect(await receive()).toStrictEqual([]);
  });

  it('has the digest of its attributes that AWS gives', async () => {
    create();
    const timestamp = { DataType: 'Number', StringValue: '1493147359900' };
    // An answer of AWS's, by the tests of moto.
    expect((await send('job', { MessageAttributes: { timestamp } })).MD5OfMessageAttributes).toBe(
      '235c5c510d26fb653d073faed50ae77c',
    );
  });

  it('has the attributes that are asked for alone', async () => {
    create();
    await send('job', {
      MessageAttributes: {
        kind: { DataType: 'String', StringValue: 'line' },
        'trace.id': { DataType: 'Number', StringValue: '7' },
      },
    });
    const asked = async (more: Partial<ReceiveMessageCommandInput>) => {
      const [message] = await receive({ VisibilityTimeout: 0, ...more });
      return [
        Object.keys(message?.Attributes ?? {}),
        Object.keys(message?.MessageAttributes ?? {}),
      ];
    };
    expect(await asked({ MessageSystemAttributeNames: [] })).toStrictEqual([[], []]);
    expect(
      await asked({
        MessageSystemAttributeNames: ['SentTimestamp'],
        MessageAttributeNames: ['trace.*'],
      }),
    ).toStrictEqual([['SentTimestamp'], ['trace.id']]);
    expect((await asked({ MessageAttributeNames: ['.*'] }))[1]).toHaveLength(2);
  });

  it('is not seen by others for its visibility timeout, which may change', async () => {
    create();
    await send();
    const [message] = await receive();
    await time.pass(29_999);
    expect([await bodies(), await counts()]).toStrictEqual([[], '0 1 0']);
    await time.pass(1);
    const [again] = await receive({ VisibilityTimeout: 100 });
    expect(again?.Attributes?.ApproximateReceiveCount).toBe('2');

    const change = (handle: string | undefined, VisibilityTimeout: number) =>
      client.send(
        new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: handle, VisibilityTimeout }),
      );
    // An older receipt counts no longer.
    expect(await rejection(change(message?.ReceiptHandle, 0))).toMatchObject({
      name: 'InvalidParameterValue',
    });
    await client.send(
      new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }),
    );
    expect(await counts()).toBe('0 1 0');
    await change(again?.ReceiptHandle, 200);
    await time.pass(199_999);
    expect(await counts()).toBe('0 1 0');
    await change(again?.ReceiptHandle, 0);
    expect(await counts()).toBe('1 0 0');
    expect(await rejection(change(again?.ReceiptHandle, 0))).toMatchObject({
      name: 'MessageNotInflight',
    });
  });

  it('is delayed as it says, or else as its queue says', async () => {
    create({ delay: 10 });
    await send('of the queue');
    await send('of its own', { DelaySeconds: 5 });
    await send('at once', { DelaySeconds: 0 });
    const all = { MaxNumberOfMessages: 10 };
    expect([await counts(), await bodies(all)]).toStrictEqual(['1 0 2', ['at once']]);
    await time.pass(5_000);
    expect(await bodies(all)).toStrictEqual(['of its own']);
    await time.pass(5_000);
    expect(await bodies(all)).toStrictEqual(['of the queue']);
  });

  it('goes to the dead-letter queue when it was received too often', async () => {
    const dead = stand.createQueue({ name: 'dead', ...DEFAULTS });
    create({ redrive: { deadLetterTargetArn: dead.settings.arn, maxReceiveCount: 2 } });
    const { MessageId } = await send();
    for (const received of [['job'], ['job'], []]) {
      expect(await bodies()).toStrictEqual(received);
      await time.pass(30_000);
    }
    expect(await counts()).toBe('0 0 0');
    const [message] = await receive({ QueueUrl: `${url}/000000000000/dead` });
    expect(message).toMatchObject({
      MessageId,
      Body: 'job',
      Attributes: {
        ApproximateReceiveCount: '3',
        SentTimestamp: '1777593600000',
        DeadLetterQueueSourceArn: 'arn:aws:sqs:us-east-1:000000000000:jobs',
      },
    });
  });

  it('is gone after the retention period', async () => {
    create({ retention: 60 });
    await send();
    await time.pass(59_999);
    expect(await counts()).toBe('1 0 0');
    await time.pass(1);
    expect([await bodies(), await counts()]).toStrictEqual([[], '0 0 0']);
  });
});

describe('a long poll', () => {
  /** A poll that has reached the queue, whose answer comes later. */
  async function poll(more: Partial<ReceiveMessageCommandInput> = {}) {
    const answer = bodies(more);
    while (time.waiting === 0) await time.pass(0);
    return { answer };
  }

  it('is answered when a message is sent', async () => {
    create({ receiveWait: 20 });
    const { answer } = await poll();
    await time.pass(19_999);
    await send();
    expect(await answer).toStrictEqual(['job']);
    expect(time.waiting).toBe(1);
  });

  it('is answered with nothing at its end', async () => {
    create();
    const { answer } = await poll({ WaitTimeSeconds: 20 });
    await time.pass(20_000);
    expect(await answer).toStrictEqual([]);
  });

  it('ends with the stand-in', async () => {
    create();
    const { answer } = await poll({ WaitTimeSeconds: 20 });
    stand.close();
    expect(await answer).toStrictEqual([]);
  });
});

describe('a batch', () => {
  const sendBatch = (Entries: { Id: string; MessageBody: string; DelaySeconds?: number }[]) =>
    client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  const entries = (count: number, MessageBody = 'job') =>
    Array.from({ length: count }, (_, at) => ({ Id: `${at}`, MessageBody }));

  it('has an outcome for each of its entries', async () => {
    create();
    const { Successful, Failed } = await sendBatch([
      { Id: 'good', MessageBody: 'job' },
      { Id: 'bad', MessageBody: 'job', DelaySeconds: 901 },
    ]);
    expect([Successful?.map(({ Id }) => Id), Failed]).toMatchObject([
      ['good'],
      [{ Id: 'bad', SenderFault: true, Code: 'InvalidParameterValue' }],
    ]);

    const [message] = await receive();
    const deleted = await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'good', ReceiptHandle: message?.ReceiptHandle },
          { Id: 'bad', ReceiptHandle: 'nothing' },
        ],
      }),
    );
    expect([deleted.Successful, deleted.Failed]).toMatchObject([
      [{ Id: 'good' }],
      [{ Id: 'bad', Code: 'ReceiptHandleIsInvalid' }],
    ]);
    expect(await counts()).toBe('0 0 0');
  });

  it('may have ten entries, and 1 MiB together', async () => {
    create();
    const tenth = 'x'.repeat(MAX_MESSAGE_BYTES / 8);
    expect((await sendBatch(entries(8, tenth))).Successful).toHaveLength(8);
    expect((await sendBatch(entries(10))).Successful).toHaveLength(10);
    expect(await receive({ MaxNumberOfMessages: 10 })).toHaveLength(10);
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['of none', () => sendBatch([]), 'EmptyBatchRequest'],
    ['of eleven', () => sendBatch(entries(11)), 'TooManyEntriesInBatchRequest'],
    [
      'of 1 MiB and a byte',
      () =>
        sendBatch([...entries(1, 'x'.repeat(MAX_MESSAGE_BYTES)), { Id: 'a', MessageBody: 'x' }]),
      'BatchRequestTooLong',
    ],
    [
      'with an id twice',
      () => sendBatch([...entries(1), ...entries(1)]),
      'BatchEntryIdsNotDistinct',
    ],
    ['with a wrong id', () => sendBatch([{ Id: 'a b', MessageBody: 'x' }]), 'InvalidBatchEntryId'],
  ])('%s is refused', async (_, ask, name) => {
    create();
    expect(await rejection(ask())).toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
    expect(await counts()).toBe('0 0 0');
  });
});

describe('an error', () => {
  it('has the names of both protocols', async () => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSQS.SendMessage' },
      body: JSON.stringify({ QueueUrl, MessageBody: 'job' }),
    });
    expect([
      answer.status,
      answer.headers.get('x-amzn-query-error'),
      await answer.json(),
    ]).toStrictEqual([
      400,
      'AWS.SimpleQueueService.NonExistentQueue;Sender',
      {
        __type: 'com.amazonaws.sqs#QueueDoesNotExist',
        message: 'The specified queue does not exist.',
      },
    ]);
  });

  it.each<[string, number, () => Promise<unknown>]>([
    ['QueueDoesNotExist', 400, () => send('job', { QueueUrl: `${url}/000000000000/none` })],
    ['QueueDoesNotExist', 400, () => send('job', { QueueUrl: `${url}/111111111111/jobs` })],
    ['QueueDoesNotExist', 400, () => client.send(new GetQueueUrlCommand({ QueueName: 'none' }))],
    [
      'ReceiptHandleIsInvalid',
      404,
      () => client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'nothing' })),
    ],
    ['MissingParameter', 400, () => send('')],
    ['InvalidMessageContents', 400, () => send('a\u0000b')],
    ['InvalidParameterValue', 400, () => send('x'.repeat(MAX_MESSAGE_BYTES + 1))],
    ['InvalidParameterValue', 400, () => send('x', { DelaySeconds: 901 })],
    [
      'InvalidParameterValue',
      400,
      () => send('x', { MessageAttributes: { a: { DataType: 'Text', StringValue: 'x' } } }),
    ],
    ['InvalidParameterValue', 400, () => receive({ MaxNumberOfMessages: 11 })],
    ['InvalidParameterValue', 400, () => receive({ WaitTimeSeconds: 21 })],
    ['InvalidParameterValue', 400, () => receive({ VisibilityTimeout: 43_201 })],
    ['InvalidAttributeName', 400, () => attributes('Size' as QueueAttributeName)],
    ['NotImplemented', 501, () => client.send(new CreateQueueCommand({ QueueName: 'more' }))],
  ])('is %s (%d) in AWS’s own client', async (name, httpStatusCode, ask) => {
    create();
    expect(await rejection(ask())).toMatchObject({ name, $metadata: { httpStatusCode } });
  });

  it('of a message of 1 MiB there is none', async () => {
    create();
    await send('x'.repeat(MAX_MESSAGE_BYTES));
    expect((await receive())[0]?.Body).toHaveLength(MAX_MESSAGE_BYTES);
  });
});
