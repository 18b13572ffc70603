import { S3VectorsClient } from '@aws-sdk/client-s3vectors';
import { type RunningServer, serve } from 'embedded-aws/http/server';
import type { ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import { S3VectorsStandIn } from 'embedded-aws/s3_vectors/s3_vectors_stand_in';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aLine, aWord } from '../../../../tests/support/receipt_factory.ts';
import { rejection } from '../../../../tests/support/rejection.ts';
import { limitTime, ofTheLayer, WITHOUT_RETRIES } from '../../aws_clients.ts';
import { embeddingItems } from '../../embeddings/embedding_items.ts';
import type { VectorRecord, WordMetadata } from '../vector_store.ts';
import { indexArn, indexName, NON_FILTERABLE_KEYS } from './declaration.ts';
import { packPuts, PUT_LIMITS } from './put_requests.ts';
import { S3VectorsStore } from './s3_vectors_store.ts';

const MODEL = { model: 'text-embedding-3-small', dimensions: 4 };
const BUCKET = 'arn:aws:s3vectors:us-east-1:000000000000:bucket/receipts';

let standIn: S3VectorsStandIn;
let server: RunningServer;
let requests: ServiceRequest[];
/** What the next requests are answered instead; undefined: as usual. */
let answers: ((() => Promise<ServiceResponse>) | undefined)[];
let waits: number[];
let client: S3VectorsClient | undefined;

beforeEach(async () => {
  standIn = new S3VectorsStandIn({
    region: 'us-east-1',
    accountId: '000000000000',
    clock: () => new Date(),
  });
  standIn.createVectorBucket('receipts');
  for (const collection of ['lines', 'words'] as const) {
    standIn.createIndex({
      vectorBucketName: 'receipts',
      indexName: indexName(collection, MODEL),
      dimension: MODEL.dimensions,
      distanceMetric: 'cosine',
      nonFilterableMetadataKeys: [...NON_FILTERABLE_KEYS],
    });
  }
  [requests, answers, waits] = [[], [], []];
  server = await serve(async (request) => {
    requests.push(request);
    return await (answers.shift() ?? (() => standIn.handle(request)))();
  }, 0);
});

afterEach(async () => {
  client?.destroy();
  await server.close();
});

function storeOf(
  changes: { model?: typeof MODEL; suffix?: string; timeoutMs?: number } = {},
): S3VectorsStore {
  const { model = MODEL, suffix, timeoutMs: time = 60_000 } = changes;
  client = ofTheLayer(
    new S3VectorsClient({
      ...WITHOUT_RETRIES,
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      requestHandler: limitTime({ answer: time, silence: time }),
    }),
  );
  const sleep = (ms: number) => Promise.resolve(waits.push(ms));
  return new S3VectorsStore({
    client,
    bucketArn: BUCKET,
    model,
    suffix,
    ports: { sleep, random: () => 1 },
  });
}

const refusing =
  (status: number, name: string, message = 'no') =>
  () =>
    Promise.resolve({
      status,
      headers: { 'content-type': 'application/json', 'x-amzn-errortype': name },
      body: JSON.stringify({ message }),
    });

function wordsOf(count: number, changes: Partial<WordMetadata> = {}): VectorRecord[] {
  const words = Array.from({ length: count }, (_, i) => aWord({ word_id: i + 1 }));
  return embeddingItems({ lines: [aLine()], words, labels: [] }, 'X', 'batch').words.map(
    ({ id, metadata }, i) => ({
      id,
      metadata: { ...metadata, ...changes },
      vector: Float32Array.of(0.1, -0.2, 0.3, (i + 1) / 7),
    }),
  );
}

describe('the index of a collection', () => {
  it('is named by what can never change of it', () => {
    expect(indexArn(BUCKET, 'words', { model: 'text-embedding-3-large', dimensions: 3_072 })).toBe(
      `${BUCKET}/index/words-text-embedding-3-large-3072`,
    );
  });

  it('is part of the identity of a store: another model, or a later index of the same, is another store', async () => {
    expect([
      await storeOf().identity(),
      await storeOf({ model: { ...MODEL, dimensions: 8 } }).identity(),
      await storeOf({ suffix: '1a2b' }).identity(),
    ]).toStrictEqual([
      `${BUCKET}/index/*-text-embedding-3-small-4`,
      `${BUCKET}/index/*-text-embedding-3-small-8`,
      `${BUCKET}/index/*-text-embedding-3-small-4-1a2b`,
    ]);
  });

  it('that is not there is a wrong configuration', async () => {
    const store = storeOf({ model: { ...MODEL, dimensions: 8 } });
    expect((await rejection(store.upsert('words', wordsOf(1)))).name).toBe('InvalidConfiguration');
  });
});

describe('records packed into PutVectors', () => {
  const arn = indexArn(BUCKET, 'words', MODEL);

  it('are at most 500 in a request, which takes as many bytes as was counted', async () => {
    await storeOf().upsert('words', wordsOf(501));

    const { upserts } = packPuts(arn, wordsOf(501));
    expect(upserts.map(({ records }) => records.length)).toStrictEqual([500, 1]);
    const sent = requests.map(({ body }) => body.length).sort((a, b) => b - a);
    expect(sent).toStrictEqual(upserts.map(({ bytes }) => bytes));
  });

  it('fill a request up to its last byte, and begin another with one byte less', () => {
    const parts = (bytes: number) => packPuts(arn, wordsOf(2), { ...PUT_LIMITS, bytes }).upserts;
    const bytes = parts(PUT_LIMITS.bytes)[0]?.bytes ?? NaN;

    expect([parts(bytes).length, parts(bytes - 1).length]).toStrictEqual([1, 2]);
  });

  it('are refused by name for an id that is longer than a key may be', () => {
    const [record = expect.fail()] = wordsOf(1);
    const long = { ...record, id: 'x'.repeat(1_025) };

    expect(packPuts(arn, [{ ...long, id: 'x'.repeat(1_024) }]).refused).toStrictEqual([]);
    expect(packPuts(arn, [long]).refused).toStrictEqual([
      { id: long.id, reason: 'its id has 1025 characters; S3 Vectors takes 1024' },
    ]);
  });

  const packed = (changes: Partial<WordMetadata>) => {
    const { upserts, refused } = packPuts(arn, wordsOf(1, changes));
    return {
      kept: upserts[0]?.records[0]?.metadata as Record<string, unknown> | undefined,
      refused,
    };
  };

  it('give up of their filterable metadata what is longer than 2 KB, and nothing that is not filtered on', () => {
    const left = 'quoted '.repeat(70);
    const { kept, refused } = packed({ left, normalized_url: 'u'.repeat(2_048) });

    expect(refused).toStrictEqual([]);
    expect(kept).not.toHaveProperty('normalized_url');
    expect(kept).toMatchObject({ left, merchant_name: 'X' });
  });

  it.each([
    ['as JSON, where signs are escaped', { normalized_url: '"\\'.repeat(600) }, 'normalized_url'],
    [
      'as others have measured, where each label of a list costs four bytes more',
      { invalid_labels: Array.from({ length: 450 }, () => '') },
      'invalid_labels',
    ],
  ])('count %s', (_, changes, field) => {
    const { kept, refused } = packed(changes);
    expect([Object.keys(kept ?? {}).includes(field), refused]).toStrictEqual([false, []]);
  });

  it('keep a text of any length that S3 Vectors takes, and shorten what quotes others before', () => {
    const { kept } = packed({ text: 'M'.repeat(39_800), left: 'é'.repeat(500), right: 'é' });

    expect([String(kept?.['text']).length, kept?.['left'], kept?.['right']]).toStrictEqual([
      39_800,
      `${'é'.repeat(49)}…`,
      'é',
    ]);
  });

  it('are refused by name, without their text, where their metadata can not be made to fit', () => {
    const { kept, refused } = packed({ text: 'SECRET '.repeat(7_000) });

    expect(kept).toBeUndefined();
    expect(refused.map(({ reason }) => reason.replace(/\d{5}/, '#'))).toStrictEqual([
      'its metadata takes # bytes; S3 Vectors takes 40960',
    ]);
  });

  it('are within what S3 Vectors counts, whatever their shape: it takes all of them', async () => {
    const labels = Array.from({ length: 200 }, (_, at) => `L${at}`);
    const records = [
      ...wordsOf(1, { validated_labels: labels, invalid_labels: labels }),
      ...wordsOf(2, { normalized_url: '"\\\n'.repeat(600) }).slice(1),
      ...wordsOf(3, { merchant_name: '中'.repeat(200), normalized_url: 'é'.repeat(900) }).slice(2),
    ];

    expect(await storeOf().upsert('words', records)).toStrictEqual({ stored: 3, refused: [] });
  });
});

describe('records of which S3 Vectors refuses some', () => {
  it('are stored except for those, which are named with the reason and nothing of their text', async () => {
    const words = wordsOf(700).map((record, at) =>
      at === 3 || at === 600 ? { ...record, vector: new Float32Array(4) } : record,
    );

    const { stored, refused } = await storeOf().upsert('words', words);

    expect(stored).toBe(698);
    const reason = expect.stringMatching(
      /^PutVectorsCommand failed: ValidationException \(HTTP 400\): a record has metadata, an id or a vector that S3 Vectors does not take$/,
    ) as string;
    expect(refused).toStrictEqual([3, 600].map((at) => ({ id: words[at]?.id, reason })));
  });

  it('are not blamed for what is refused of every request', async () => {
    answers.push(refusing(400, 'ValidationException', 'Value at /indexArn failed'));

    expect((await rejection(storeOf().upsert('words', wordsOf(2)))).name).toBe('InvalidRequest');
    expect(requests).toHaveLength(1);
  });

  it('go in halves where the request is larger than the service takes', async () => {
    answers.push(refusing(400, 'ValidationException', 'Request body exceeds max allowed size'));

    expect(await storeOf().upsert('words', wordsOf(3))).toStrictEqual({ stored: 3, refused: [] });
    expect(requests).toHaveLength(3);
  });
});

describe('a request to S3 Vectors', () => {
  it('waits when it is too fast, and when the service has no room; its answer may be lost', async () => {
    answers.push(
      refusing(429, 'TooManyRequestsException'),
      refusing(503, 'ServiceUnavailableException'),
      refusing(429, 'TooManyRequestsException'),
    );

    expect(await storeOf().upsert('words', wordsOf(1))).toStrictEqual({ stored: 1, refused: [] });
    expect(waits).toStrictEqual([200, 200, 400]);
  });

  it.each([
    ['TooManyRequestsException', 429, 'RateLimited', 9],
    ['ServiceUnavailableException', 503, 'UpstreamUnavailable', 5],
    ['InternalServerException', 500, 'UpstreamUnavailable', 5],
    ['AccessDeniedException', 403, 'InvalidConfiguration', 1],
    ['NotFoundException', 404, 'InvalidConfiguration', 1],
    ['ServiceQuotaExceededException', 402, 'QuotaExhausted', 1],
    ['KmsDisabledException', 400, 'InvalidConfiguration', 1],
  ])('that is answered %s every time fails', async (name, status, error, tries) => {
    answers.push(...Array<ReturnType<typeof refusing>>(20).fill(refusing(status, name)));

    expect((await rejection(storeOf().remove('words', ['a']))).name).toBe(error);
    expect(requests).toHaveLength(tries);
  });

  it('is given up where the service is silent', async () => {
    const silent = Promise.withResolvers<ServiceResponse>();
    answers.push(...Array<() => Promise<ServiceResponse>>(5).fill(() => silent.promise));

    const error = await rejection(storeOf({ timeoutMs: 20 }).fetch('words', ['a']));
    silent.resolve({ status: 200, body: '{}' });

    expect([error.name, waits.length]).toStrictEqual(['UpstreamUnavailable', 4]);
  });

  it('for more results than a region gives says so', async () => {
    answers.push(refusing(400, 'ValidationException', 'topK'));
    const query = { vector: Float32Array.of(1, 0, 0, 0), k: 101 };

    expect((await rejection(storeOf().query('words', query))).message).toMatch(
      /S3 Vectors of this region may give at most 100 results: ask for no more$/,
    );
  });
});

describe('a condition on an address, which S3 Vectors can not filter on', () => {
  const query = {
    vector: Float32Array.of(0, 0, 0, 1),
    k: 2,
    filter: [{ field: 'normalized_full_address', equals: '1 OAK ST' } as const],
  };
  const addressed = (count: number, at: readonly number[]) =>
    wordsOf(count).map((record, i) => ({
      ...record,
      // The further on, the further away.
      vector: Float32Array.of(i / count, 0, 0, 1),
      metadata: {
        ...record.metadata,
        normalized_full_address: at.includes(i) ? '1 OAK ST' : '2 OAK ST',
      },
    }));

  it('is applied to what it gives, page by page, until there is enough', async () => {
    const store = storeOf();
    const records = addressed(500, [150, 180, 190]);
    await store.upsert('words', records);
    requests = [];

    const { hits, complete } = await store.query('words', query);

    expect(hits.map(({ id }) => id)).toStrictEqual([records[150]?.id, records[180]?.id]);
    expect([complete, requests.length]).toStrictEqual([true, 2]);
  });

  it('is complete where all vectors were looked through', async () => {
    const store = storeOf();
    await store.upsert('words', addressed(300, [250]));

    const { hits, complete } = await store.query('words', query);
    expect([hits.length, complete]).toStrictEqual([1, true]);
  });

  it('is said not to be complete where there were more than it looks through', async () => {
    const store = storeOf();
    await store.upsert('words', addressed(2_100, [250, 2_050]));

    const { hits, complete } = await store.query('words', query);
    expect([hits.length, complete]).toStrictEqual([1, false]);
  });
});
