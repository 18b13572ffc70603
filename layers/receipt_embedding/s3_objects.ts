import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import {
  InvalidConfiguration,
  InvalidReceiptData,
  RateLimited,
  UpstreamUnavailable,
} from './errors.ts';
import { linesOf } from './local_files.ts';
import { backOff, type Backoff, systemBackoff } from './retry.ts';

export interface ObjectLocation {
  readonly bucket: string;
  readonly key: string;
}

/** Writes a text, over whatever is there. */
export async function writeText(
  s3: S3Client,
  { bucket, key }: ObjectLocation,
  text: string,
  contentType: string,
): Promise<void> {
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: Buffer.from(text),
      ContentType: contentType,
    }),
  );
}

/** As many as the client makes of a request that it can repeat by itself. */
const ATTEMPTS = 3;

/**
 * Writes a file, over whatever is there, without holding it in memory. A stream can't be sent a second time, so that the client
 * gives up at the first failure: the file is opened anew for each try.
 */
export async function writeFile(
  s3: S3Client,
  { bucket, key }: ObjectLocation,
  file: { readonly path: string; readonly bytes: number },
  contentType: string,
  backoff: Backoff = systemBackoff,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await s3.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: createReadStream(file.path),
          ContentLength: file.bytes,
          ContentType: contentType,
        }),
      );
      return;
    } catch (error) {
      const passes = error instanceof RateLimited || error instanceof UpstreamUnavailable;
      if (!passes || attempt === ATTEMPTS) throw error;
    }
    await backOff(backoff, attempt);
  }
}

/** An object whole. */
export async function readText(s3: S3Client, location: ObjectLocation): Promise<string> {
  const body = await open(s3, location);
  let text = '';
  try {
    for await (const chunk of body.setEncoding('utf8')) text += chunk as string;
  } catch (error) {
    throw brokenOff(location, error);
  }
  return text;
}

/** An object line by line, empty lines left out, in memory that does not grow with its size. */
export async function* readLines(s3: S3Client, location: ObjectLocation): AsyncGenerator<string> {
  const body = await open(s3, location);
  try {
    yield* linesOf(body);
  } catch (error) {
    throw brokenOff(location, error);
  }
}

/** The answer had begun when it failed, so the client's own retries and errors are behind it. */
function brokenOff({ bucket, key }: ObjectLocation, cause: unknown): UpstreamUnavailable {
  return new UpstreamUnavailable(`reading s3://${bucket}/${key} broke off`, { cause });
}

async function open(s3: S3Client, { bucket, key }: ObjectLocation): Promise<Readable> {
  const { Body } = await get(s3, { bucket, key });
  if (!(Body instanceof Readable)) {
    throw new InvalidReceiptData(`s3://${bucket}/${key} has no content`);
  }
  return Body;
}

/** No function may list a bucket: of an object that is not there S3 says the same then as of one that may not be read. */
async function get(
  s3: S3Client,
  { bucket, key }: ObjectLocation,
): Promise<Pick<GetObjectCommandOutput, 'Body'>> {
  try {
    return await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  } catch (error) {
    const cause = error instanceof InvalidConfiguration ? error.cause : undefined;
    if (!(cause instanceof Error) || cause.name !== 'AccessDenied') throw error;
    throw new InvalidConfiguration(
      `s3://${bucket}/${key} is not there (files expire), or may not be read: ${cause.message}`,
      { cause },
    );
  }
}
