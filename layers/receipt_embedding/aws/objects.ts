import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { InvalidReceiptData } from '../errors.ts';

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
  let text = '';
  for await (const chunk of (await open(s3, location)).setEncoding('utf8')) text += chunk as string;
  return text;
}

/** An object line by line, empty lines left out, in memory that does not grow with its size. */
export async function* readLines(s3: S3Client, location: ObjectLocation): AsyncGenerator<string> {
  const lines = createInterface({ input: await open(s3, location), crlfDelay: Infinity });
  for await (const line of lines) if (line !== '') yield line;
}

async function open(s3: S3Client, { bucket, key }: ObjectLocation): Promise<Readable> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (!(Body instanceof Readable)) {
    throw new InvalidReceiptData(`s3://${bucket}/${key} has no content`);
  }
  return Body;
}
