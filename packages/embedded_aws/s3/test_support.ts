import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { serve } from '../http/server.ts';
import { S3StandIn } from './s3_stand_in.ts';

/** What the clock of every test says, and what S3 makes of it. */
const clockTime = new Date('2025-03-04T05:06:07.890Z');
export const storedTime = new Date('2025-03-04T05:06:07.000Z');

export interface RunningS3 {
  readonly stand: S3StandIn;
  readonly client: S3Client;
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** A stand-in with one empty bucket, on a free port, and the AWS SDK's own client for it. */
export async function startS3(bucket = 'files'): Promise<RunningS3> {
  const stand = new S3StandIn({ clock: () => clockTime });
  stand.createBucket(bucket);
  const server = await serve(stand.handle, 0);
  const client = new S3Client({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  return {
    stand,
    client,
    url: server.url,
    stop: async () => {
      client.destroy();
      await server.close();
    },
  };
}

/** The error's name and HTTP status; throws when there was no error from S3. */
export async function failureOf(request: Promise<unknown>): Promise<readonly [string, number]> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    return [error.name, error.$metadata.httpStatusCode ?? 0];
  }
  throw new Error('The request succeeded.');
}

/** What one raw HTTP request was answered: for what no SDK would send. */
export async function rawCall(
  url: string,
  init: RequestInit,
): Promise<{ readonly status: number; readonly code: string | undefined; readonly text: string }> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, code: /<Code>(.*?)<\/Code>/.exec(text)?.[1], text };
}
