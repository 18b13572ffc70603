import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';

/** The code of the function: it answers what it is asked for, or what it has in its environment. */
const HANDLER = `
export const handler = async ({ key }) =>
  key === 'environment' ? process.env : { key, table: process.env.TABLE };
`;

/**
 * A small Pulumi program: a table, a bucket, a vector bucket with an index, a queue, a secret, a function, a state machine that invokes it, and a schedule.
 *
 * @param folder where the function's code is written.
 */
export async function smallProgram(folder: string): Promise<Record<string, unknown>> {
  const config = new pulumi.Config();
  const code = await mkdtemp(join(folder, 'code-'));
  await writeFile(join(code, 'index.mjs'), HANDLER);
  const component = new pulumi.ComponentResource('small:index:Work', 'work');
  const table = new aws.dynamodb.Table('rows', {
    hashKey: 'PK',
    attributes: [{ name: 'PK', type: 'S' }],
    billingMode: 'PAY_PER_REQUEST',
  });
  const bucket = new aws.s3.Bucket('files', {}, { parent: component });
  const vectors = new aws.s3.VectorsVectorBucket('vectors', { vectorBucketName: 'small-vectors' });
  const index = new aws.s3.VectorsIndex('rows', {
    vectorBucketName: vectors.vectorBucketName,
    indexName: 'rows',
    dataType: 'float32',
    dimension: 2,
    distanceMetric: 'cosine',
    metadataConfiguration: { nonFilterableMetadataKeys: ['text'] },
  });
  new aws.sqs.Queue('jobs', { name: 'small-jobs' });
  const secret = new aws.secretsmanager.Secret('key', { name: 'key' });
  new aws.secretsmanager.SecretVersion('key', {
    secretId: secret.arn,
    secretString: config.requireSecret('api_key'),
  });
  const role = (name: string, Service: string, policy: pulumi.Input<string>): aws.iam.Role => {
    const made = new aws.iam.Role(name, {
      name,
      assumeRolePolicy: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service } }],
      }),
    });
    new aws.iam.RolePolicy(name, { role: made.name, policy });
    return made;
  };
  const allow = (Action: string, Resource: pulumi.Input<string>): pulumi.Output<string> =>
    pulumi.jsonStringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action, Resource }],
    });
  const work = new aws.lambda.Function('work', {
    name: 'work',
    runtime: 'nodejs24.x',
    handler: 'index.handler',
    code: new pulumi.asset.FileArchive(code),
    role: role('work', 'lambda.amazonaws.com', allow('dynamodb:GetItem', table.arn)).arn,
    environment: { variables: { TABLE: table.name } },
  });
  const machine = new aws.sfn.StateMachine('machine', {
    name: 'machine',
    roleArn: role('machine', 'states.amazonaws.com', allow('lambda:InvokeFunction', work.arn)).arn,
    definition: pulumi.jsonStringify({
      StartAt: 'Work',
      States: {
        Work: {
          Type: 'Task',
          Resource: 'arn:aws:states:::lambda:invoke',
          Parameters: { FunctionName: work.arn, 'Payload.$': '$' },
          OutputPath: '$.Payload',
          End: true,
        },
      },
    }),
  });
  new aws.scheduler.Schedule('hourly', {
    name: 'hourly',
    scheduleExpression: config.get('schedule') ?? 'rate(1 hour)',
    flexibleTimeWindow: { mode: 'OFF' },
    target: {
      arn: machine.arn,
      roleArn: role(
        'hourly',
        'scheduler.amazonaws.com',
        allow('states:StartExecution', machine.arn),
      ).arn,
      input: '{"key":"scheduled"}',
    },
  });
  return {
    table: table.name,
    bucket: bucket.bucket,
    index: index.indexArn,
    secret: secret.arn,
    machine: machine.arn,
  };
}
