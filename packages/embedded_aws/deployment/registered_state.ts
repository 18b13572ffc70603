import { createHash } from 'node:crypto';
import { STREAM_LABEL, streamArn } from '../dynamodb/streams/stream_arn.ts';

/** Where a program is deployed. */
export interface Account {
  /** What the names begin with that the provider makes up. */
  readonly project: string;
  readonly region: string;
  readonly accountId: string;
  /** @default aws */
  readonly partition?: string;
  /**
   * Where the URLs of queues begin.
   *
   * @default SQS's of the region
   */
  readonly sqsUrl?: string;
}

type Inputs = Readonly<Record<string, unknown>>;

/** What AWS's provider knows of a resource after it is created, beside its inputs: its names and its ARN. */
export function registeredState(
  type: string,
  name: string,
  inputs: Inputs,
  account: Account,
): { readonly id: string; readonly state: Record<string, unknown> } {
  const { project, region, accountId, partition = 'aws' } = account;
  const arn = (service: string, resource: string): string =>
    `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
  const named = (fallback: string): string =>
    typeof inputs['name'] === 'string' ? inputs['name'] : fallback;
  const result = (id: string, more: Inputs): { id: string; state: Record<string, unknown> } => ({
    id,
    state: { ...inputs, ...more },
  });
  switch (type) {
    case 'aws:s3/bucket:Bucket': {
      const bucket = typeof inputs['bucket'] === 'string' ? inputs['bucket'] : `${project}-${name}`;
      return result(bucket, { bucket, arn: `arn:${partition}:s3:::${bucket}` });
    }
    case 'aws:s3/vectorsVectorBucket:VectorsVectorBucket': {
      const bucket = arn('s3vectors', `bucket/${String(inputs['vectorBucketName'])}`);
      return result(bucket, { vectorBucketArn: bucket });
    }
    case 'aws:s3/vectorsIndex:VectorsIndex': {
      const { vectorBucketName: bucket, indexName } = inputs;
      const index = arn('s3vectors', `bucket/${String(bucket)}/index/${String(indexName)}`);
      return result(index, { indexArn: index });
    }
    case 'aws:dynamodb/table:Table': {
      const table = named(`${project}-${name}`);
      return result(table, {
        name: table,
        arn: arn('dynamodb', `table/${table}`),
        ...(inputs['streamEnabled'] === true
          ? { streamArn: streamArn(table, account), streamLabel: STREAM_LABEL }
          : {}),
      });
    }
    case 'aws:iam/role:Role':
      return result(named(name), { arn: `arn:${partition}:iam::${accountId}:role/${named(name)}` });
    case 'aws:sns/topic:Topic': {
      const topic = arn('sns', named(name));
      return result(topic, { arn: topic });
    }
    case 'aws:cloudwatch/metricAlarm:MetricAlarm':
      return result(named(name), { arn: arn('cloudwatch', `alarm:${named(name)}`) });
    case 'aws:cloudwatch/logGroup:LogGroup':
      return result(named(name), { arn: arn('logs', `log-group:${named(name)}`) });
    case 'aws:secretsmanager/secret:Secret': {
      // AWS appends six characters of its own.
      const secret = arn('secretsmanager', `secret:${named(name)}-000000`);
      return result(secret, { arn: secret });
    }
    case 'aws:lambda/layerVersion:LayerVersion': {
      const layer = arn('lambda', `layer:${String(inputs['layerName'])}:1`);
      return result(layer, { arn: layer });
    }
    case 'aws:lambda/function:Function':
      return result(named(name), { arn: arn('lambda', `function:${named(name)}`) });
    case 'aws:sfn/stateMachine:StateMachine': {
      const machine = arn('states', `stateMachine:${named(name)}`);
      return result(machine, { arn: machine });
    }
    case 'aws:scheduler/schedule:Schedule': {
      const schedule = arn('scheduler', `schedule/default/${named(name)}`);
      return result(named(name), { arn: schedule });
    }
    case 'aws:sqs/queue:Queue': {
      const { sqsUrl = `https://sqs.${region}.amazonaws.com` } = account;
      const url = `${sqsUrl}/${accountId}/${named(name)}`;
      return result(url, { name: named(name), url, arn: arn('sqs', named(name)) });
    }
    case 'aws:lambda/eventSourceMapping:EventSourceMapping': {
      const uuid = uuidOf(`${project} ${name}`);
      return result(uuid, { uuid, arn: arn('lambda', `event-source-mapping:${uuid}`) });
    }
    case 'pulumi:index:Stash':
      // What was put into it when it was made.
      return result(name, { output: inputs['input'] });
    default:
      return result(name, {});
  }
}

/** The same for the same name, so that two runs of a program can be compared. */
function uuidOf(text: string): string {
  const hex = createHash('md5').update(text).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
