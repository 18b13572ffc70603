import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
} from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { rejection } from '../../tests/support/rejection.ts';
import {
  createDynamoDBClient,
  createS3Client,
  translateAwsError,
  translateErrors,
} from './aws_clients.ts';

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

  it.each([
    ['DynamoDB', createDynamoDBClient],
    ['S3', createS3Client],
  ])('of %s does not retry: that is the layer’s', async (_, create) => {
    expect(await create().config.maxAttempts()).toBe(1);
  });
});

const RECEIPT_TEXT = 'WHOLE MILK';

interface Answer {
  readonly status?: number;
  readonly fault?: 'client' | 'server';
}

/** As the SDK throws it; one without an answer has neither status nor fault. */
function awsError(name: string, { status, fault = 'client' }: Answer = {}): Error {
  const error = Object.assign(new Error(`${name}: ${RECEIPT_TEXT}`), { name });
  return status === undefined
    ? error
    : Object.assign(error, { $metadata: { httpStatusCode: status }, $fault: fault });
}

function networkError(code: string): Error {
  return Object.assign(new Error('connection'), { code, $metadata: { attempts: 3 } });
}

describe('an error of AWS', () => {
  it.each([
    ['ProvisionedThroughputExceededException', { status: 400 }, 'RateLimited'],
    ['ThrottlingException', { status: 400 }, 'RateLimited'],
    ['RequestLimitExceeded', { status: 400 }, 'RateLimited'],
    ['LimitExceededException', { status: 400 }, 'RateLimited'],
    ['TooManyRequestsException', { status: 429 }, 'RateLimited'],
    ['SlowDown', { status: 503, fault: 'server' }, 'RateLimited'],
    ['AccessDenied', { status: 403 }, 'InvalidConfiguration'],
    ['AccessDeniedException', { status: 400 }, 'InvalidConfiguration'],
    ['ResourceNotFoundException', { status: 400 }, 'InvalidConfiguration'],
    ['NoSuchBucket', { status: 404 }, 'InvalidConfiguration'],
    ['UnrecognizedClientException', { status: 400 }, 'InvalidConfiguration'],
    ['InvalidAccessKeyId', { status: 403 }, 'InvalidConfiguration'],
    ['SignatureDoesNotMatch', { status: 403 }, 'InvalidConfiguration'],
    ['ExpiredTokenException', { status: 400 }, 'InvalidConfiguration'],
    ['CredentialsProviderError', {}, 'InvalidConfiguration'],
    ['ValidationException', { status: 400 }, 'InvalidRequest'],
    ['NoSuchKey', { status: 404 }, 'InvalidRequest'],
    ['InternalServerError', { status: 500, fault: 'server' }, 'UpstreamUnavailable'],
    ['ServiceUnavailable', { status: 503, fault: 'server' }, 'UpstreamUnavailable'],
    ['Unknown', { status: 503, fault: 'client' }, 'UpstreamUnavailable'],
    ['TimeoutError', {}, 'UpstreamUnavailable'],
    ['AbortError', {}, 'UpstreamUnavailable'],
  ] as const)('%s (%j) is a %s to the state machine', (name, answer, expected) => {
    const error = awsError(name, answer);

    const translated = translateAwsError(error, 'GetItemCommand') as Error;

    expect(translated.name).toBe(expected);
    expect(translated.cause).toBeUndefined();
    expect(translated.message).toContain(
      `GetItemCommand failed: ${name === 'Unknown' ? 'an unknown error' : name}`,
    );
  });

  it.each(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'UND_ERR_SOCKET'])(
    'is UpstreamUnavailable when the connection fails with %s',
    (code) => {
      expect((translateAwsError(networkError(code), 'PutObjectCommand') as Error).name).toBe(
        'UpstreamUnavailable',
      );
    },
  );

  it('keeps the vendor’s message out where it may quote the request', () => {
    for (const name of ['ValidationException', 'ThrottlingException', 'InternalServerError']) {
      const error = awsError(name, { status: name === 'InternalServerError' ? 500 : 400 });

      expect((translateAwsError(error, 'PutItemCommand') as Error).message).not.toContain(
        RECEIPT_TEXT,
      );
    }
  });

  it.each([
    [
      'a failed condition of DynamoDB',
      awsError('ConditionalCheckFailedException', { status: 400 }),
    ],
    ['an object that is there already', awsError('PreconditionFailed', { status: 412 })],
    ['a race for an object', awsError('ConditionalRequestConflict', { status: 409 })],
    ['an error of our own making', new TypeError('bug')],
    ['no error at all', 'text'],
  ])('stays as it is: %s', (_, error) => {
    expect(translateAwsError(error, 'PutItemCommand')).toBe(error);
  });
});

describe('a client that translates', () => {
  const clients: DynamoDBClient[] = [];

  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
  });

  /** A DynamoDB client whose requests are answered by `answer`; it counts the tries. */
  function clientThat(answer: () => Error, maxAttempts: number) {
    const seen = { tries: 0 };
    const client = translateErrors(
      new DynamoDBClient({
        region: 'us-east-1',
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
        maxAttempts,
        requestHandler: {
          handle: () => {
            seen.tries++;
            return Promise.reject(answer());
          },
        },
      }),
    );
    clients.push(client);
    return { client, seen };
  }

  const command = new GetItemCommand({ TableName: 'receipts', Key: { PK: { S: 'a' } } });

  it('throws what is left after the SDK’s own retries', async () => {
    const cut = (): Error =>
      Object.assign(new Error('cut'), { code: 'ECONNRESET', name: 'TimeoutError' });
    const { client, seen } = clientThat(cut, 2);

    const error = await rejection(client.send(command));

    expect([error.name, seen.tries]).toStrictEqual(['UpstreamUnavailable', 2]);
    expect(error.message).toBe(
      'GetItemCommand failed: TimeoutError: AWS can not be reached or took too long',
    );
  });

  it('lets the answer to a condition through', async () => {
    const failed = new ConditionalCheckFailedException({ message: 'no', $metadata: {} });
    const { client } = clientThat(() => failed, 1);

    expect(await rejection(client.send(command))).toBe(failed);
  });
});
