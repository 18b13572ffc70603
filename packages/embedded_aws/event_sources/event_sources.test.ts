import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTableCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as pulumiAws from '@pulumi/aws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { clientSettings } from '../aws/client_settings.ts';
import { type EmbeddedAws, startEmbeddedAws } from '../aws/embedded_aws.ts';
import type { InvocationFault } from '../lambda/invocations.ts';
import { eventProgram, type EventProgramChanges } from '../testing/event_program.ts';

/** A whole embedded AWS in a hurry, and the events that its function had. */
async function start(changes: EventProgramChanges = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'event-sources-'));
  const events: { readonly Records: Readonly<Record<string, unknown>>[] }[] = [];
  onTestFinished(() => rm(folder, { recursive: true }));
  const aws: EmbeddedAws = await startEmbeddedAws({
    program: () => eventProgram(folder, changes),
    project: 'events',
    port: 0,
    stack: 'dev',
    config: {},
    secrets: {},
    enforceIam: true,
    eventDelay: () => 0,
    onLog: (_, line) => {
      if (line.startsWith('EVENT ')) events.push(JSON.parse(line.slice(6)) as (typeof events)[0]);
    },
  });
  onTestFinished(() => aws.close());
  const { jobs, dead, discarded } = aws.deployment.outputs as Record<string, string>;
  const sqs = new SQSClient(clientSettings(aws));
  const put = (SK: string, TYPE = 'LINE') =>
    aws.clients.dynamodb.send(
      new PutItemCommand({
        TableName: 'rows',
        Item: { PK: { S: 'one' }, SK: { S: SK }, TYPE: { S: TYPE } },
      }),
    );
  const send = (MessageBody: string) =>
    sqs.send(new SendMessageCommand({ QueueUrl: jobs, MessageBody }));
  const receive = async (QueueUrl = '') => {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ['All'] }),
    );
    return Messages;
  };
  return { aws, events, put, send, dead: () => receive(dead), discarded: () => receive(discarded) };
}

describe('a program with a stream and a queue', () => {
  it('has its function invoked for what is written, as Lambda would', async () => {
    const { aws, events, put } = await start();
    await put('1');
    await put('2', 'WORD');
    await put('3');
    await aws.eventSources.idle();

    expect(events.flatMap(({ Records }) => Records).length).toBe(2);
    expect(events[0]?.Records[0]).toStrictEqual({
      eventID: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'us-east-1',
      dynamodb: {
        ApproximateCreationDateTime: expect.closeTo(Date.now() / 1_000, -2) as number,
        Keys: { PK: { S: 'one' }, SK: { S: '1' } },
        NewImage: { PK: { S: 'one' }, SK: { S: '1' }, TYPE: { S: 'LINE' } },
        SequenceNumber: expect.stringMatching(/^\d{21,40}$/) as string,
        SizeBytes: 24,
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
      eventSourceARN: aws.deployment.outputs['streamArn'],
    });
  });

  it('has its function invoked for what is sent, as Lambda would', async () => {
    const { aws, events, send } = await start();
    const { MessageId, MD5OfMessageBody } = await send('job');
    await aws.eventSources.idle();

    expect(events).toStrictEqual([
      {
        Records: [
          {
            messageId: MessageId,
            receiptHandle: expect.any(String) as string,
            body: 'job',
            attributes: {
              ApproximateReceiveCount: '1',
              SentTimestamp: expect.stringMatching(/^\d{13}$/) as string,
              SenderId: expect.any(String) as string,
              ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/) as string,
            },
            messageAttributes: {},
            md5OfBody: MD5OfMessageBody,
            eventSource: 'aws:sqs',
            eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:jobs',
            awsRegion: 'us-east-1',
          },
        ],
      },
    ]);
  });

  it('gives up what fails too often, and goes on', async () => {
    const { aws, events, put, send, dead, discarded } = await start();
    await put('poison');
    await send('poison');
    await aws.eventSources.idle();
    await put('good');
    await aws.eventSources.idle();

    expect(events.length).toBe(5);
    const [message] = await discarded();
    expect(JSON.parse(message?.Body ?? '')).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 2 },
      DDBStreamBatchInfo: { batchSize: 1, streamArn: aws.deployment.outputs['streamArn'] },
    });
    expect(await dead()).toMatchObject([
      { Body: 'poison', Attributes: { ApproximateReceiveCount: '3' } },
    ]);
  });

  it.each<[string, InvocationFault, number]>([
    ['is refused', { refuse: 'TooManyRequestsException' }, 1],
    ['loses its answer', { loseAnswer: 'at the end' }, 2],
    ['is asked for again', { redeliver: 0 }, 2],
  ])('has its events when an invocation %s', async (_, fault, times) => {
    const { aws, events, put, send } = await start();
    for (const ask of [() => put('row'), () => send('job')]) {
      aws.invocations.fault({
        ...fault,
        when: ({ eventSourceArn }) => eventSourceArn !== undefined,
        times: 1,
      });
      await ask();
      await aws.eventSources.idle();
      expect(events.splice(0)).toHaveLength(times);
    }
  });
});

describe('the role of a function', () => {
  it.each([
    ['dynamodb:GetRecords', 'Cannot access stream arn:aws:dynamodb:'],
    ['sqs:ReceiveMessage', 'does not have permissions to call ReceiveMessage on SQS'],
    ['sqs:SendMessage', 'does not have permissions to call SendMessage on arn:aws:sqs:'],
  ])('must allow its mapping %s', async (without, message) => {
    expect((await rejection(start({ without }))).message).toContain(message);
  });
});

describe('a table that is there before the program runs', () => {
  it('has the stream that the program finds', async () => {
    const { clients, deployment, dynamodb, close } = await startEmbeddedAws({
      program: async () => {
        const { streamArn } = await pulumiAws.dynamodb.getTable({ name: 'mine' });
        return { streamArn };
      },
      existingTables: {
        mine: {
          hashKey: 'PK',
          attributes: [{ name: 'PK', type: 'S' }],
          streamEnabled: true,
          streamViewType: 'KEYS_ONLY',
        },
      },
      ...{ project: 'events', stack: 'dev', port: 0, config: {}, secrets: {} },
    });
    onTestFinished(close);
    const { Table } = await clients.dynamodb.send(new DescribeTableCommand({ TableName: 'mine' }));
    expect(Table?.LatestStreamArn).toBe(deployment.outputs['streamArn']);
    expect(dynamodb.streams.find(Table?.LatestStreamArn ?? '')?.viewType).toBe('KEYS_ONLY');
  });
});
