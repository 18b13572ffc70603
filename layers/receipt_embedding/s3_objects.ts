import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import {
  ConcurrentUpdate,
  InvalidConfiguration,
  InvalidReceiptData,
  UpstreamUnavailable,
} from './errors.ts';
import { LayerError } from './layer_error.ts';
import { linesOf } from './local_files.ts';
import { RETRY_POLICIES, type RetryPorts, retrying } from './retry.ts';

export interface ObjectLocation {
  readonly bucket: string;
  readonly key: string;
}

/**
 * Writes a text as UTF-8, over an existing one.
 *
 * @throws RateLimited, UpstreamUnavailable, InvalidConfiguration, as all requests of this file.
 * @example
 * ```ts
 * await writeText(s3, { bucket: 'b', key: 'runs/r-1/receipts.jsonl' }, '{"receipt_id":1}\n', 'application/jsonl');
 * ```
 */
export async function writeText(
  s3: S3Client,
  location: ObjectLocation,
  text: string,
  contentType: string,
): Promise<void> {
  await put(s3, location, () => ({ Body: Buffer.from(text), ContentType: contentType }));
}

/**
 * Writes a file, over an existing object, without holding it in memory. A stream can't be sent a second time: the file is opened
 * anew for each try.
 *
 * @param file its path, and its exact size in bytes.
 */
export async function writeFile(
  s3: S3Client,
  location: ObjectLocation,
  file: { readonly path: string; readonly bytes: number },
  contentType: string,
  ports?: RetryPorts,
): Promise<void> {
  await put(
    s3,
    location,
    () => ({
      Body: createReadStream(file.path),
      ContentLength: file.bytes,
      ContentType: contentType,
    }),
    ports,
  );
}

/**
 * Writes an object unless one of its key exists.
 *
 * @returns false when it existed.
 * @throws ConcurrentUpdate when others were writing the same key in each of 3 tries.
 */
export async function writeOnce(
  s3: S3Client,
  location: ObjectLocation,
  object: Required<Pick<PutObjectCommandInput, 'Body' | 'ContentType' | 'Metadata'>>,
  ports?: RetryPorts,
): Promise<boolean> {
  try {
    await put(s3, location, () => ({ ...object, IfNoneMatch: '*' }), ports);
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'PreconditionFailed') return false;
    throw error;
  }
}

async function put(
  s3: S3Client,
  { bucket, key }: ObjectLocation,
  object: () => Omit<PutObjectCommandInput, 'Bucket' | 'Key'>,
  ports?: RetryPorts,
): Promise<void> {
  const { s3: policy } = RETRY_POLICIES;
  const send = async (): Promise<void> => {
    try {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, ...object() }));
    } catch (error) {
      const conflict = error instanceof Error && error.name === 'ConditionalRequestConflict';
      if (!conflict) throw error;
      throw new ConcurrentUpdate(
        `${key} was being written by others in each of ${policy.tries.ConcurrentUpdate} tries`,
      );
    }
  };
  await retrying(policy, send, ports);
}

/**
 * An object whole, as UTF-8.
 *
 * @throws InvalidConfiguration when it does not exist or may not be read; UpstreamUnavailable when the answer breaks off.
 */
export async function readText(s3: S3Client, location: ObjectLocation): Promise<string> {
  const body = await open(s3, location);
  let text = '';
  try {
    for await (const chunk of body.setEncoding('utf8')) text += chunk as string;
  } catch {
    throw brokenOff(location);
  }
  return text;
}

/**
 * An object line by line, empty lines left out, in memory that does not grow with its size.
 *
 * @throws as readText.
 * @example
 * ```ts
 * for await (const line of readLines(s3, { bucket: 'b', key: 'runs/r-1/receipts.jsonl' })) JSON.parse(line);
 * ```
 */
export async function* readLines(s3: S3Client, location: ObjectLocation): AsyncGenerator<string> {
  const body = await open(s3, location);
  try {
    yield* linesOf(body);
  } catch {
    throw brokenOff(location);
  }
}

/** The answer had begun when it failed: no retry of the request is left. */
function brokenOff({ bucket, key }: ObjectLocation): UpstreamUnavailable {
  return new UpstreamUnavailable(`reading s3://${bucket}/${key} broke off`);
}

/**
 * An object as a stream, where the function may tell an object that is not there from one that it may not read: it may list the bucket.
 *
 * @returns undefined when it does not exist.
 * @throws as readText.
 */
export async function openObject(
  s3: S3Client,
  location: ObjectLocation,
): Promise<Readable | undefined> {
  try {
    return await open(s3, location);
  } catch (error) {
    if (error instanceof LayerError && error.vendor_code === 'NoSuchKey') return undefined;
    throw error;
  }
}

async function open(s3: S3Client, location: ObjectLocation): Promise<Readable> {
  const { Body } = await retrying(RETRY_POLICIES.s3, () => get(s3, location));
  if (!(Body instanceof Readable)) {
    throw new InvalidReceiptData(`s3://${location.bucket}/${location.key} has no content`);
  }
  return Body;
}

/** To whoever may not list the bucket, S3 answers the same for an object that does not exist as for one that may not be read. */
async function get(
  s3: S3Client,
  { bucket, key }: ObjectLocation,
): Promise<Pick<GetObjectCommandOutput, 'Body'>> {
  try {
    return await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  } catch (error) {
    const denied = error instanceof InvalidConfiguration && error.vendor_code === 'AccessDenied';
    if (!denied) throw error;
    throw new InvalidConfiguration(
      `s3://${bucket}/${key} is not there (files expire), or may not be read: ${error.message}`,
    );
  }
}
