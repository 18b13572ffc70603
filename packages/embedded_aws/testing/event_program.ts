import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';

/** Writes its event to its log, and fails for one that has the word `poison`. */
const HANDLER = `
export const handler = async (event) => {
  const text = JSON.stringify(event);
  console.log('EVENT ' + text);
  if (text.includes('poison')) throw new Error('poison');
  return {};
};
`;

/** What a test may have otherwise than the program below. */
export interface EventProgramChanges {
  readonly handler?: string;
  readonly ofStream?: Partial<aws.lambda.EventSourceMappingArgs>;
  readonly ofQueue?: Partial<aws.lambda.EventSourceMappingArgs>;
  /** Of what the function's role allows, those actions are taken out. */
  readonly without?: string;
}

/**
 * A small Pulumi program of events: a table with a stream and a queue with a dead-letter queue, a function that is invoked for both,
 * and a queue for batches of the stream that are given up.
 *
 * @param folder where the function's code is written.
 */
export async function eventProgram(
  folder: string,
  { handler = HANDLER, ofStream = {}, ofQueue = {}, without = '' }: EventProgramChanges = {},
): Promise<Record<string, unknown>> {
  const code = await mkdtemp(join(folder, 'code-'));
  await writeFile(join(code, 'index.mjs'), handler);
  const table = new aws.dynamodb.Table('rows', {
    name: 'rows',
    hashKey: 'PK',
    rangeKey: 'SK',
    attributes: [
      { name: 'PK', type: 'S' },
      { name: 'SK', type: 'S' },
    ],
    billingMode: 'PAY_PER_REQUEST',
    streamEnabled: true,
    streamViewType: 'NEW_AND_OLD_IMAGES',
  });
  const queue = (name: string, args: aws.sqs.QueueArgs = {}): aws.sqs.Queue =>
    new aws.sqs.Queue(name, { name, ...args });
  const discarded = queue('discarded');
  const dead = queue('dead');
  const jobs = queue('jobs', {
    visibilityTimeoutSeconds: 60,
    redrivePolicy: pulumi.jsonStringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 }),
  });
  new aws.sqs.RedriveAllowPolicy('dead', {
    queueUrl: dead.url,
    redriveAllowPolicy: '{"redrivePermission":"allowAll"}',
  });
  const role = new aws.iam.Role('work', {
    name: 'work',
    assumeRolePolicy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Principal: { Service: 'lambda.amazonaws.com' },
        },
      ],
    }),
  });
  const allow = (actions: readonly string[], Resource: pulumi.Input<string>) => ({
    Effect: 'Allow',
    Action: ['logs:PutLogEvents', ...actions.filter((action) => action !== without)],
    Resource,
  });
  new aws.iam.RolePolicy('work', {
    role: role.name,
    policy: pulumi.jsonStringify({
      Version: '2012-10-17',
      Statement: [
        allow(
          ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map(
            (action) => `dynamodb:${action}`,
          ),
          table.streamArn,
        ),
        allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], jobs.arn),
        allow(['sqs:SendMessage'], discarded.arn),
      ],
    }),
  });
  const work = new aws.lambda.Function('work', {
    name: 'work',
    runtime: 'nodejs24.x',
    handler: 'index.handler',
    code: new pulumi.asset.FileArchive(code),
    role: role.arn,
    environment: { variables: { JOBS_URL: jobs.url } },
  });
  new aws.lambda.EventSourceMapping('rows', {
    eventSourceArn: table.streamArn,
    functionName: work.arn,
    startingPosition: 'TRIM_HORIZON',
    maximumRetryAttempts: 1,
    filterCriteria: {
      filters: [{ pattern: '{"dynamodb": {"NewImage": {"TYPE": {"S": ["LINE"]}}}}' }],
    },
    destinationConfig: { onFailure: { destinationArn: discarded.arn } },
    ...ofStream,
  });
  new aws.lambda.EventSourceMapping('jobs', {
    eventSourceArn: jobs.arn,
    functionName: work.name,
    ...ofQueue,
  });
  return { streamArn: table.streamArn, jobs: jobs.url, dead: dead.url, discarded: discarded.url };
}
