import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { collect } from '../../tests/support/collect.ts';
import { rejection } from '../../tests/support/rejection.ts';
import { translateAwsError } from './aws_clients.ts';
import { InvalidConfiguration, RateLimited } from './errors.ts';
import {
  type ObjectLocation,
  readLines,
  readText,
  writeFile,
  writeOnce,
  writeText,
} from './s3_objects.ts';

const location: ObjectLocation = { bucket: 'receipts', key: 'runs/a/receipts.jsonl' };

/** An S3 that answers a body in these chunks, and keeps what it was sent. */
function bucketOf(body: readonly Uint8Array[] | undefined) {
  const inputs: unknown[] = [];
  const send = (command: GetObjectCommand | PutObjectCommand): Promise<unknown> => {
    inputs.push(command.input);
    return Promise.resolve({ Body: body === undefined ? undefined : Readable.from(body) });
  };
  return { s3: { send } as unknown as S3Client, inputs };
}

/** An S3 whose every request fails. */
function failing(error: Error): S3Client {
  const send = (): Promise<unknown> => Promise.reject(error);
  return { send } as unknown as S3Client;
}

/** A text cut in the middle of its characters too. */
function bytewise(text: string): Uint8Array[] {
  return Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte));
}

describe('an object of text', () => {
  it('is written under its key with its content type', async () => {
    const { s3, inputs } = bucketOf([]);

    await writeText(s3, location, 'é\n', 'application/jsonl');

    expect(inputs).toStrictEqual([
      {
        Bucket: 'receipts',
        Key: 'runs/a/receipts.jsonl',
        Body: Buffer.from('é\n'),
        ContentType: 'application/jsonl',
      },
    ]);
  });

  it('is read whole, wherever its bytes are cut', async () => {
    const { s3, inputs } = bucketOf(bytewise('é寿\n🧾'));

    expect(await readText(s3, location)).toBe('é寿\n🧾');
    expect(inputs).toStrictEqual([{ Bucket: 'receipts', Key: 'runs/a/receipts.jsonl' }]);
  });

  it('is read line by line, wherever its bytes are cut, empty lines left out', async () => {
    const { s3 } = bucketOf(bytewise('é\n\n寿\r\n🧾'));

    expect(await collect(readLines(s3, location))).toStrictEqual(['é', '寿', '🧾']);
  });

  it('that has no body is named', async () => {
    const { s3 } = bucketOf(undefined);

    const error = await rejection(readText(s3, location));

    expect([error.name, error.message]).toStrictEqual([
      'InvalidReceiptData',
      's3://receipts/runs/a/receipts.jsonl has no content',
    ]);
  });

  it('that S3 denies is named, and may just as well not be there', async () => {
    const denied = translateAwsError(
      Object.assign(
        new Error(
          'User: MILK is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::receipts" because no identity-based policy allows the s3:ListBucket action',
        ),
        {
          name: 'AccessDenied',
          $fault: 'client',
          $metadata: { httpStatusCode: 403 },
        },
      ),
      'GetObjectCommand',
    ) as Error;

    const { name, message } = await rejection(readText(failing(denied), location));

    expect([name, message]).toStrictEqual([
      'InvalidConfiguration',
      's3://receipts/runs/a/receipts.jsonl is not there (files expire), or may not be read: GetObjectCommand failed: AccessDenied (HTTP 403) (s3:ListBucket on arn:aws:s3:::receipts): the role may not do this',
    ]);
  });

  it.each([
    new RateLimited('slow down'),
    new InvalidConfiguration('no such bucket', { vendor_code: 'NoSuchBucket' }),
  ])('that fails otherwise fails so: %s', async (error) => {
    expect(await rejection(readText(failing(error), location))).toBe(error);
  });

  it('that breaks off while it is read is worth another try', async () => {
    const broken = (): S3Client => {
      const body = async function* (): AsyncGenerator<Buffer> {
        yield await Promise.resolve(Buffer.from('a\nb\nc'));
        throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
      };
      return {
        send: () => Promise.resolve({ Body: Readable.from(body()) }),
      } as unknown as S3Client;
    };
    const wanted = ['UpstreamUnavailable', 'reading s3://receipts/runs/a/receipts.jsonl broke off'];

    for (const read of [readText(broken(), location), collect(readLines(broken(), location))]) {
      const { name, message } = await rejection(read);
      expect([name, message]).toStrictEqual(wanted);
    }
  });
});

describe('an object whose writing fails', () => {
  const SLOW_DOWN = new RateLimited('slow down');
  const CONFLICT = Object.assign(new Error('conflict'), { name: 'ConditionalRequestConflict' });
  const EXISTS = Object.assign(new Error('exists'), { name: 'PreconditionFailed' });

  /** An S3 that reads what it is sent, and answers the first writes with these errors. */
  function refusing(...errors: readonly Error[]) {
    const bodies: string[] = [];
    const waits: number[] = [];
    const send = async ({ input }: PutObjectCommand): Promise<unknown> => {
      const error = errors[bodies.length];
      bodies.push(await text(Readable.from(input.Body as Readable | [string])));
      if (error !== undefined) throw error;
      return {};
    };
    const sleep = (milliseconds: number) => Promise.resolve(waits.push(milliseconds));
    return {
      s3: { send } as unknown as S3Client,
      bodies,
      waits,
      ports: { random: () => 1, sleep },
    };
  }

  const file = { path: import.meta.filename, bytes: readFileSync(import.meta.filename).length };
  const content = readFileSync(file.path, 'utf8');

  it('is sent whole a second and a third time, a file too', async () => {
    const { s3, bodies, waits, ports } = refusing(SLOW_DOWN, SLOW_DOWN);

    await writeFile(s3, location, file, 'text/plain', ports);

    expect(bodies).toStrictEqual([content, content, content]);
    expect(waits).toStrictEqual([100, 200]);
  });

  it('fails with what the third try failed with', async () => {
    const { s3, bodies, ports } = refusing(SLOW_DOWN, SLOW_DOWN, SLOW_DOWN);

    expect(await rejection(writeFile(s3, location, file, 'text/plain', ports))).toBe(SLOW_DOWN);
    expect(bodies).toHaveLength(3);
  });

  it.each([
    ['is written', [], true, 1],
    ['is left as it is where it exists', [EXISTS], false, 1],
    ['is written after others who wrote it at the same time', [CONFLICT, CONFLICT], true, 3],
    ['is left as the others have written it', [CONFLICT, EXISTS], false, 2],
  ] as const)('at most once %s', async (_, errors, written, tries) => {
    const { s3, bodies, ports } = refusing(...errors);
    const object = { Body: 'a', ContentType: 'text/plain', Metadata: {} };

    expect(await writeOnce(s3, location, object, ports)).toBe(written);
    expect(bodies).toHaveLength(tries);
  });
});
