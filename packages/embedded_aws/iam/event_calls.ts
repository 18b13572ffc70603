import type { Call } from './policy_document.ts';

/** Where SQS's requests say which queue they are about. */
export interface QueueRequest {
  readonly QueueUrl?: string;
  readonly QueueName?: string;
}

/** IAM knows no batches: whoever may send a message may send ten. */
export function queueCall(
  operation: string,
  { QueueUrl, QueueName }: QueueRequest,
  arn: (resource: string) => string,
): Call {
  const name = QueueName ?? QueueUrl?.split('/').at(-1);
  const action = `sqs:${operation.replace(/Batch$/, '')}`;
  return { action, resource: name === undefined ? '*' : arn(name) };
}

/** The operations of DynamoDB Streams, whose names no operation of DynamoDB has. */
export const STREAM_OPERATIONS: ReadonlySet<string> = new Set([
  'DescribeStream',
  'GetRecords',
  'GetShardIterator',
  'ListStreams',
]);

/** Where the requests of DynamoDB Streams say which stream they are about. */
export interface StreamRequest {
  readonly StreamArn?: string;
  readonly ShardIterator?: string;
  readonly TableName?: string;
}

export function streamCall(
  operation: string,
  { StreamArn, ShardIterator, TableName }: StreamRequest,
  arn: (resource: string) => string,
): Call {
  const table = TableName === undefined ? '*' : arn(`table/${TableName}/stream/*`);
  // An iterator begins with its stream.
  const resource = StreamArn ?? ShardIterator?.split('|')[0] ?? table;
  return { action: `dynamodb:${operation}`, resource };
}
