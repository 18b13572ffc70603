import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { createDynamoDBClient, createS3Client } from './clients.ts';

interface ClientWithMiddleware {
  readonly middlewareStack: { identify(): string[] };
}

const logsAnswers = ({ middlewareStack }: ClientWithMiddleware): boolean =>
  middlewareStack.identify().some((name) => name.startsWith('loggerMiddleware'));

describe('an AWS client', () => {
  it.each([
    ['DynamoDB', createDynamoDBClient, () => new DynamoDBClient()],
    ['S3', createS3Client, () => new S3Client()],
  ])('of %s does not go through its answers for a log that nobody writes', (_, ours, theirs) => {
    expect([logsAnswers(theirs()), logsAnswers(ours())]).toStrictEqual([true, false]);
  });
});
