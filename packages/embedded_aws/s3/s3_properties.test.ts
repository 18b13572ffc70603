import {
  GetObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningS3, startS3 } from './test_support.ts';

const Bucket = 'receipts';

let s3: RunningS3;
beforeEach(async () => {
  s3 = await startS3();
});
afterEach(async () => {
  await s3.stop();
});

/** Any UTF-8 text that is a key; S3 clients resolve `.` and `..` on their way. */
const anyKey = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 40 })
  .filter((key) => !/(^|\/)\.{1,2}(\/|$)/.test(key));

/** Few letters, so that prefixes and delimiters meet; two of them sort differently in UTF-16. */
const listedKey = fc.string({
  unit: fc.constantFrom('a', 'b', '/', ' ', '+', '&', '\uffee', '\u{1f600}'),
  minLength: 1,
  maxLength: 6,
});

const listing = fc.record({
  keys: fc.uniqueArray(listedKey, { maxLength: 30 }),
  prefix: fc.constantFrom('', 'a', '/', 'a/', 'b', '\uffee'),
  delimiter: fc.constantFrom('', '/', 'a', '//', 'b/'),
  pageSize: fc.integer({ min: 1, max: 12 }),
});

interface Entries {
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
}

/** What a listing must add up to, said without paging. */
function expectedEntries(keys: readonly string[], prefix: string, delimiter: string): Entries {
  const sorted = keys
    .filter((key) => key.startsWith(prefix))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const isRolled = (key: string) =>
    delimiter !== '' && key.slice(prefix.length).includes(delimiter);
  const rolled = sorted
    .filter(isRolled)
    .map((key) => prefix + (key.slice(prefix.length).split(delimiter)[0] ?? '') + delimiter);
  return { keys: sorted.filter((key) => !isRolled(key)), prefixes: [...new Set(rolled)] };
}

function storeOnly(bucket: string, keys: readonly string[]): void {
  s3.stand.createBucket(bucket);
  for (const key of keys) s3.stand.putObject(bucket, key, Buffer.alloc(0));
}

describe('S3 properties', () => {
  it('gives back any bytes under any key', async () => {
    await fc.assert(
      fc.asyncProperty(anyKey, fc.uint8Array({ maxLength: 5000 }), async (Key, bytes) => {
        await s3.client.send(new PutObjectCommand({ Bucket, Key, Body: bytes }));
        const { Body } = await s3.client.send(new GetObjectCommand({ Bucket, Key }));
        const read = Buffer.from((await Body?.transformToByteArray()) ?? []);
        expect(read.equals(bytes)).toBe(true);
        expect(s3.stand.getObject(Bucket, Key)?.body.equals(bytes)).toBe(true);
        const { Contents } = await s3.client.send(
          new ListObjectsV2Command({ Bucket, Prefix: Key, MaxKeys: 1 }),
        );
        expect(Contents?.map((object) => object.Key)).toStrictEqual([Key]);
      }),
      { numRuns: 100, examples: [['\r\n\t \u0001\u007f\uffff &', new Uint8Array()]] },
    );
  });

  it('lists every key and common prefix once and in order, whatever the page (V2)', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(listing, async ({ keys, prefix, delimiter, pageSize }) => {
        run += 1;
        const bucket = `bucket-${run}`;
        storeOnly(bucket, keys);
        const listed = { keys: [] as string[], prefixes: [] as string[] };
        let token: string | undefined;
        do {
          const page = await s3.client.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              Delimiter: delimiter,
              MaxKeys: pageSize,
              ContinuationToken: token,
            }),
          );
          const found = (page.Contents?.length ?? 0) + (page.CommonPrefixes?.length ?? 0);
          expect([found, found <= pageSize]).toStrictEqual([page.KeyCount, true]);
          if (page.IsTruncated === true) expect(found).toBe(pageSize);
          listed.keys.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ''));
          listed.prefixes.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? ''));
          token = page.NextContinuationToken;
        } while (token !== undefined);
        expect(listed).toStrictEqual(expectedEntries(keys, prefix, delimiter));
      }),
      { numRuns: 100 },
    );
  });

  it('lists every key and common prefix once and in order, whatever the page (V1)', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(listing, async ({ keys, prefix, delimiter, pageSize }) => {
        run += 1;
        const bucket = `bucket-${run}`;
        storeOnly(bucket, keys);
        const listed = { keys: [] as string[], prefixes: [] as string[] };
        let marker: string | undefined;
        do {
          const page = await s3.client.send(
            new ListObjectsCommand({
              Bucket: bucket,
              Prefix: prefix,
              Delimiter: delimiter,
              MaxKeys: pageSize,
              Marker: marker,
            }),
          );
          listed.keys.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ''));
          listed.prefixes.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? ''));
          marker =
            page.IsTruncated === true ? (page.NextMarker ?? page.Contents?.at(-1)?.Key) : undefined;
        } while (marker !== undefined);
        expect(listed).toStrictEqual(expectedEntries(keys, prefix, delimiter));
      }),
      { numRuns: 60 },
    );
  });
});
