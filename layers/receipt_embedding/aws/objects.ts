import { Readable } from 'node:stream';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { InvalidReceiptData, UpstreamUnavailable } from '../errors.ts';

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
    // readline swallows its input's errors, so the lines are made here.
    let rest = '';
    for await (const chunk of body.setEncoding('utf8')) {
      const lines = (rest + (chunk as string)).split(/\r?\n/);
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield line;
    }
    if (rest !== '') yield rest;
  } catch (error) {
    throw brokenOff(location, error);
  }
}

/** The answer had begun when it failed, so the client's own retries and errors are behind it. */
function brokenOff({ bucket, key }: ObjectLocation, cause: unknown): UpstreamUnavailable {
  return new UpstreamUnavailable(`reading s3://${bucket}/${key} broke off`, { cause });
}

async function open(s3: S3Client, { bucket, key }: ObjectLocation): Promise<Readable> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (!(Body instanceof Readable)) {
    throw new InvalidReceiptData(`s3://${bucket}/${key} has no content`);
  }
  return Body;
}
