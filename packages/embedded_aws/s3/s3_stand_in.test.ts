import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rawCall, type RunningS3, startS3, storedTime } from './test_support.ts';

let s3: RunningS3;
beforeEach(async () => {
  s3 = await startS3();
});
afterEach(async () => {
  await s3.stop();
});

/** `fetch` tidies a path up; this sends it as it is. */
function statusOf(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(s3.url, { path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('an answer', () => {
  it('carries a request id of its own, which an error repeats in its body', async () => {
    const ids: (string | null)[] = [];
    for (const path of ['', '/receipts', '/receipts/none']) {
      const response = await fetch(s3.url + path);
      ids.push(response.headers.get('x-amz-request-id'));
      await response.body?.cancel();
    }
    expect(new Set(ids).size).toBe(3);
    const { text } = await rawCall(`${s3.url}/receipts/a%20%26b`, {});
    expect(text).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>' +
        '<Key>a &amp;b</Key><Resource>/receipts/a%20%26b</Resource>' +
        '<RequestId>0000000000000004</RequestId></Error>',
    );
  });

  it.each([
    ['GET', '/receipts?versioning', 'GetBucketVersioning'],
    ['PUT', '/receipts?lifecycle', 'PutBucketLifecycle'],
    ['DELETE', '/receipts', 'DeleteBucket'],
    ['GET', '/receipts?versions', 'ListObjectVersions'],
    ['GET', '/receipts/a?acl', 'GetObjectAcl'],
    ['PUT', '/receipts/a?legal-hold', 'PutObjectLegalHold'],
    ['POST', '/receipts', 'PostObject'],
  ])('to %s %s is 501 and names %s', async (method, path, operation) => {
    const { status, code, text } = await rawCall(s3.url + path, { method });
    expect([status, code, /<Message>(.*)<\/Message>/.exec(text)?.[1]]).toStrictEqual([
      501,
      'NotImplemented',
      `${operation} is not implemented by the local S3.`,
    ]);
  });

  it('names UploadPartCopy as not implemented', async () => {
    const headers = { 'x-amz-copy-source': 'receipts/b' };
    const url = `${s3.url}/receipts/a?uploadId=u&partNumber=1`;
    const { status, text } = await rawCall(url, { method: 'PUT', headers });
    expect([status, text.includes('UploadPartCopy is not implemented')]).toStrictEqual([501, true]);
  });

  it('to a method that S3 does not have is 405', async () => {
    const { status, code } = await rawCall(`${s3.url}/receipts/a`, { method: 'PATCH' });
    expect([status, code]).toStrictEqual([405, 'MethodNotAllowed']);
  });

  it('to a path that is no UTF-8 is 400', async () => {
    const { status, code } = await rawCall(`${s3.url}/receipts/%ff`, {});
    expect([status, code]).toStrictEqual([400, 'InvalidURI']);
  });

  it('tells keys apart by every slash, plus and percent sign', async () => {
    for (const key of ['/a', 'a+b', '%2F', 'a//b/', '../x']) {
      s3.stand.putObject('receipts', key, Buffer.from('x'));
    }
    const found = [
      '/receipts//a',
      '/receipts/a+b',
      '/receipts/%252F',
      '/receipts/a//b/',
      '/receipts/../x',
    ];
    const missing = ['/receipts/a', '/receipts/a%20b', '/receipts/%2F', '/receipts/a/b/', '/x'];
    expect(await Promise.all(found.map(statusOf))).toStrictEqual([200, 200, 200, 200, 200]);
    expect(await Promise.all(missing.map(statusOf))).toStrictEqual([404, 404, 404, 404, 404]);
  });

  it('to a bucket is the same with and without a slash at the end', async () => {
    expect(await Promise.all(['/receipts', '/receipts/'].map(statusOf))).toStrictEqual([200, 200]);
  });
});

describe('direct access', () => {
  it('stores a copy of the body with its description', () => {
    const body = Buffer.from('hello');
    s3.stand.putObject('receipts', 'a', body, {
      contentType: 'text/plain',
      metadata: { run: '1' },
    });
    body.fill('x');
    expect(s3.stand.getObject('receipts', 'a')).toStrictEqual({
      body: Buffer.from('hello'),
      contentType: 'text/plain',
      metadata: { run: '1' },
      headers: {},
      etag: '"5d41402abc4b2a76b9719d911017c592"',
      lastModified: storedTime,
      checksum: undefined,
    });
  });

  it('knows no object under a key that was never put', () => {
    expect(s3.stand.getObject('receipts', 'none')).toBeUndefined();
  });

  it('lists keys in UTF-8 order, new ones and those left after a deletion', async () => {
    for (const key of ['p/\u{1f600}', 'p/\uffee', 'q']) {
      s3.stand.putObject('receipts', key, Buffer.alloc(0));
    }
    expect(s3.stand.listKeys('receipts', 'p/')).toStrictEqual(['p/\uffee', 'p/\u{1f600}']);
    s3.stand.putObject('receipts', 'p/', Buffer.alloc(0));
    await rawCall(`${s3.url}/receipts/p/%EF%BF%AE`, { method: 'DELETE' });
    expect(s3.stand.listKeys('receipts', 'p/')).toStrictEqual(['p/', 'p/\u{1f600}']);
  });

  it('throws for an unknown bucket and for one that exists already', () => {
    const { stand } = s3;
    expect(() => stand.getObject('nowhere', 'a')).toThrow('The specified bucket does not exist');
    expect(() => {
      stand.putObject('nowhere', 'a', Buffer.alloc(0));
    }).toThrow('The specified bucket does not exist');
    expect(() => stand.listKeys('nowhere', '')).toThrow('The specified bucket does not exist');
    expect(() => {
      stand.createBucket('receipts');
    }).toThrow('you already own it');
  });
});
