import { serve } from 'embedded-aws/http/server';
import type { TableDescription } from 'embedded-aws/deployment/pulumi_program';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { rejection } from '../support/rejection.ts';
import {
  ACCOUNT_ID,
  OUR_RECEIPTS,
  type RecordedDeployment,
  resource,
  resourcesOf,
  runProgram,
} from './recorded_program.ts';

// Not proved here: that Lambda takes these mappings (the embedded AWS's are held to its guide), and that a stream has these readers.

const MAPPING = 'aws:lambda/eventSourceMapping:EventSourceMapping';
const QUEUE = 'aws:sqs/queue:Queue';
const SQS = `arn:aws:sqs:us-east-1:${ACCOUNT_ID}`;
const WITH_STREAM = { streamEnabled: true, streamViewType: 'NEW_AND_OLD_IMAGES' } as const;

interface Statement {
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

let deployed: RecordedDeployment;
let streamArn: string;

beforeAll(async () => {
  deployed = await runProgram({ config: { embed_on_arrival: 'true' } });
  streamArn = String(resource(deployed, MAPPING, 'table-stream-source')['eventSourceArn']);
});

function statements(name: string): readonly Statement[] {
  const { policy } = resource(deployed, 'aws:iam/rolePolicy:RolePolicy', `${name}-policy`);
  return (JSON.parse(String(policy)) as { readonly Statement: readonly Statement[] }).Statement;
}

describe('a stack that embeds what arrives', () => {
  it('reads the rows of receipts from the table’s stream, and puts aside what fails for minutes', () => {
    expect(streamArn).toMatch(
      new RegExp(`^arn:aws:dynamodb:us-east-1:${ACCOUNT_ID}:table/.+/stream/.+$`),
    );
    const mapping = resource(deployed, MAPPING, 'table-stream-source');
    const { filterCriteria, ...reading } = mapping;
    expect(reading).toStrictEqual({
      batchSize: 1_000,
      bisectBatchOnFunctionError: true,
      destinationConfig: {
        onFailure: { destinationArn: `${SQS}:receipt-failed-arrivals-dev` },
      },
      eventSourceArn: streamArn,
      functionName: `arn:aws:lambda:us-east-1:${ACCOUNT_ID}:function:embedding-note-arrivals-lambda-dev`,
      functionResponseTypes: ['ReportBatchItemFailures'],
      maximumBatchingWindowInSeconds: 5,
      maximumRecordAgeInSeconds: 21_600,
      maximumRetryAttempts: 10,
      startingPosition: 'TRIM_HORIZON',
      tags: expect.anything() as unknown,
    });
    const { filters } = filterCriteria as { readonly filters: readonly { pattern: string }[] };
    const type = {
      TYPE: {
        S: ['RECEIPT_LINE', 'RECEIPT_WORD', 'RECEIPT_WORD_LABEL', 'RECEIPT_METADATA'],
      },
    };
    expect(filters.map(({ pattern }) => JSON.parse(pattern) as unknown)).toStrictEqual([
      { dynamodb: { NewImage: type } },
      { dynamodb: { OldImage: type } },
    ]);
  });

  it('lets receipts wait for half a minute, or for as long as is set', async () => {
    expect(resource(deployed, QUEUE, 'arrivals-queue')).toMatchObject({
      name: 'receipt-arrivals-dev',
      delaySeconds: 30,
      visibilityTimeoutSeconds: 370,
      sqsManagedSseEnabled: true,
      redrivePolicy: JSON.stringify({
        deadLetterTargetArn: `${SQS}:receipt-failed-arrivals-dev`,
        maxReceiveCount: 5,
      }),
    });
    for (const seconds of ['0', '900']) {
      const config = { embed_on_arrival: 'true', arrival_quiet_seconds: seconds };
      const { delaySeconds } = resource(await runProgram({ config }), QUEUE, 'arrivals-queue');
      expect(delaySeconds).toBe(Number(seconds));
    }
    const config = { embed_on_arrival: 'true', arrival_quiet_seconds: '901' };
    expect((await rejection(runProgram({ config }))).message).toContain(
      'arrival_quiet_seconds is wrong (expected 0 to 900 seconds)',
    );
  });

  it('lets each function do what it does with stream, queue and workflow, and no more', () => {
    const table = streamArn.replace(/\/stream\/.*/, '');
    const without = (name: string): unknown =>
      statements(name)
        .filter(({ Action }) => !Action.some((action) => /^(logs|xray):/.test(action)))
        .map(({ Action, Resource }) => [Action, Resource]);
    expect(without('note-arrivals')).toStrictEqual([
      [['dynamodb:UpdateItem'], [table]],
      [
        ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
        [streamArn],
      ],
      [['dynamodb:ListStreams'], ['*']],
      [['sqs:SendMessage'], [`${SQS}:receipt-arrivals-dev`]],
      [['sqs:SendMessage'], [`${SQS}:receipt-failed-arrivals-dev`]],
    ]);
    expect(without('start-arrivals')).toStrictEqual([
      [['dynamodb:BatchGetItem', 'dynamodb:DeleteItem'], [table]],
      [
        ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
        [`${SQS}:receipt-arrivals-dev`],
      ],
      [
        ['states:StartExecution'],
        [`arn:aws:states:us-east-1:${ACCOUNT_ID}:stateMachine:realtime-embedding-sf-dev`],
      ],
    ]);
  });

  it('takes no request to its queues without TLS', () => {
    for (const name of ['arrivals', 'failed-arrivals']) {
      const { policy } = resource(deployed, 'aws:sqs/queuePolicy:QueuePolicy', `${name}-tls-only`);
      const { Statement } = JSON.parse(String(policy)) as { readonly Statement: unknown };
      expect(Statement).toStrictEqual([
        {
          Effect: 'Deny',
          Principal: '*',
          Action: ['sqs:*'],
          Resource: [`${SQS}:receipt-${name}-dev`],
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ]);
    }
  });
});

describe('an adopted table', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  const OWN = 'embedding-note-arrivals-lambda-dev';

  /** @param readers of its stream; none: whoever deploys may not ask. */
  async function adopt(
    table: TableDescription,
    readers: readonly string[] | 'denied' = [],
    embed_on_arrival = 'true',
  ): Promise<RecordedDeployment> {
    const lambda = await serve(
      () =>
        Promise.resolve(
          readers === 'denied'
            ? {
                status: 403,
                headers: { 'x-amzn-errortype': 'AccessDeniedException' },
                body: '{"Message":"no"}',
              }
            : {
                status: 200,
                body: JSON.stringify({
                  EventSourceMappings: readers.map((name) => ({
                    FunctionArn: `arn:aws:lambda:us-east-1:${ACCOUNT_ID}:function:${name}`,
                  })),
                }),
              },
        ),
      0,
    );
    vi.stubEnv('AWS_ENDPOINT_URL_LAMBDA', lambda.url);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    try {
      return await runProgram({
        config: { dynamodb_table_name: 'our-receipts', embed_on_arrival },
        existingTables: { 'our-receipts': table },
      });
    } finally {
      await lambda.close();
    }
  }

  const refusal = async (...args: Parameters<typeof adopt>): Promise<string> => {
    const { name, message } = await rejection(adopt(...args));
    expect(name).toBe('UnsuitableTable');
    return message.split('\n')[1] ?? '';
  };

  const INSTEAD =
    'or embed by a schedule: npx pulumi config rm --stack dev embed_on_arrival; ' +
    "npx pulumi config set --stack dev realtime_schedule 'rate(5 minutes)'";
  const ENABLE =
    'aws dynamodb update-table --table-name our-receipts ' +
    '--stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES';

  it('with a stream of old and new images feeds the function', async () => {
    const adopted = await adopt({ ...OUR_RECEIPTS, ...WITH_STREAM });
    expect(resource(adopted, MAPPING, 'table-stream-source')['eventSourceArn']).toMatch(
      /:table\/our-receipts\/stream\/./,
    );
  });

  it('without a stream is refused, and is not where nothing is to arrive', async () => {
    expect(await refusal(OUR_RECEIPTS)).toBe(
      `  - it has no stream, which embed_on_arrival reads: ${ENABLE}; ${INSTEAD}`,
    );
    const adopted = await adopt(OUR_RECEIPTS, [], 'false');
    expect(resourcesOf(adopted, MAPPING)).toStrictEqual({});
  });

  it('whose stream has less of a row is refused', async () => {
    expect(
      await refusal({ ...OUR_RECEIPTS, streamEnabled: true, streamViewType: 'NEW_IMAGE' }),
    ).toBe(
      '  - its stream has NEW_IMAGE of a row, and embed_on_arrival reads old and new images: ' +
        'aws dynamodb update-table --table-name our-receipts --stream-specification StreamEnabled=false; ' +
        `${ENABLE} (it is a new stream: its readers must be told); ${INSTEAD}`,
    );
  });

  it('whose stream has one reader, or two of which one is the stack’s own, is taken', async () => {
    for (const readers of [['compactor'], ['compactor', OWN]]) {
      const adopted = await adopt({ ...OUR_RECEIPTS, ...WITH_STREAM }, readers);
      expect(Object.keys(resourcesOf(adopted, MAPPING))).toHaveLength(2);
    }
  });

  it('whose stream has two readers is refused, and their names are told', async () => {
    expect(await refusal({ ...OUR_RECEIPTS, ...WITH_STREAM }, ['search', 'compactor'])).toBe(
      '  - its stream has 2 readers already, which is the most that DynamoDB serves: compactor, search; ' +
        `take one away, ${INSTEAD}`,
    );
  });

  it('of whose stream nothing may be asked is taken, with a warning', async () => {
    const { messages } = await adopt({ ...OUR_RECEIPTS, ...WITH_STREAM }, 'denied');
    expect(messages.join('\n')).toContain(
      'whether the stream of our-receipts has 2 readers already could not be told (lambda:ListEventSourceMappings: AccessDeniedException)',
    );
  });
});
