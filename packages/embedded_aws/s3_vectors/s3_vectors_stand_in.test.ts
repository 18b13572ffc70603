import {
  CreateIndexCommand,
  CreateVectorBucketCommand,
  DeleteIndexCommand,
  DeleteVectorBucketCommand,
  DeleteVectorsCommand,
  GetIndexCommand,
  GetVectorBucketCommand,
  GetVectorsCommand,
  type GetVectorsCommandInput,
  ListIndexesCommand,
  ListTagsForResourceCommand,
  ListVectorBucketsCommand,
  ListVectorsCommand,
  type ListVectorsCommandInput,
  type PutInputVector,
  PutVectorBucketPolicyCommand,
  PutVectorsCommand,
  QueryVectorsCommand,
  type QueryVectorsCommandInput,
  type QueryVectorsCommandOutput,
  S3VectorsClient,
} from '@aws-sdk/client-s3vectors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { type RunningServer, serve } from '../http/server.ts';
import { S3VectorsStandIn } from './s3_vectors_stand_in.ts';

const CREATED = new Date('2026-10-01T12:00:00.500Z');
const BUCKET = 'arn:aws:s3vectors:us-east-1:000000000000:bucket/vectors';
const at = { vectorBucketName: 'vectors', indexName: 'lines' } as const;
const LINES = `${BUCKET}/index/lines`;

let standIn: S3VectorsStandIn;
let server: RunningServer;
let client: S3VectorsClient;

beforeEach(async () => {
  standIn = new S3VectorsStandIn({
    region: 'us-east-1',
    accountId: '000000000000',
    clock: () => CREATED,
  });
  standIn.createVectorBucket('vectors');
  standIn.createIndex({
    ...at,
    dimension: 2,
    distanceMetric: 'cosine',
    nonFilterableMetadataKeys: ['text'],
  });
  server = await serve(standIn.handle, 0);
  client = new S3VectorsClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
});

afterEach(async () => {
  client.destroy();
  await server.close();
});

type Metadata = NonNullable<PutInputVector['metadata']>;

const vector = (key: string, float32: number[], metadata?: Metadata): PutInputVector => ({
  key,
  data: { float32 },
  ...(metadata === undefined ? {} : { metadata }),
});
const put = (...vectors: PutInputVector[]) =>
  client.send(new PutVectorsCommand({ ...at, vectors }));
const get = async (input: Partial<GetVectorsCommandInput> & { keys: string[] }) =>
  (await client.send(new GetVectorsCommand({ ...at, ...input }))).vectors;
const list = (input: Partial<ListVectorsCommandInput> = {}) =>
  client.send(new ListVectorsCommand({ ...at, ...input }));
const remove = (...keys: string[]) => client.send(new DeleteVectorsCommand({ ...at, keys }));
const query = (input: Partial<QueryVectorsCommandInput> = {}): Promise<QueryVectorsCommandOutput> =>
  client.send(
    new QueryVectorsCommand({ ...at, topK: 10, queryVector: { float32: [1, 0] }, ...input }),
  );
const keysOf = (vectors: readonly { readonly key: string | undefined }[] = []) =>
  vectors.map(({ key }) => key);
const many = (count: number): PutInputVector[] =>
  Array.from({ length: count }, (_, n) => vector(`key-${n}`, [1, n]));

/** What a refusal says, with where. */
async function refused(asked: Promise<unknown>): Promise<unknown> {
  const error = (await rejection(asked)) as Error & {
    fieldList?: unknown;
    $metadata: { httpStatusCode: number };
  };
  const { name, message, fieldList, $metadata } = error;
  return { name, status: $metadata.httpStatusCode, message, fieldList };
}

const invalid = (path: string, message: string, whole = message) => ({
  name: 'ValidationException',
  status: 400,
  message: whole,
  fieldList: [{ path, message }],
});
const form = (path: string, message: string) =>
  invalid(
    path,
    message,
    `1 validation error detected. Value at '${path}' failed to satisfy constraint: ${message}`,
  );
const record = (path: string, message: string, key = 'a') => {
  const whole = `Invalid record for key '${key}': ${message}`;
  return invalid(path, whole);
};

describe('a vector', () => {
  it('is read as it was put, in float32, with what is asked for', async () => {
    await put(
      vector('a', [0.1, -2], { n: 1, yes: true, who: 'ä', tags: ['x', 'y'] }),
      vector('b', [1, 1]),
    );
    expect(await get({ keys: ['b', 'a', 'none', 'b'] })).toStrictEqual([
      { key: 'b' },
      { key: 'a' },
    ]);
    expect(await get({ keys: ['a'], returnData: true })).toStrictEqual([
      { key: 'a', data: { float32: [Math.fround(0.1), -2] } },
    ]);
    expect(await get({ keys: ['a', 'b'], returnMetadata: true })).toStrictEqual([
      { key: 'a', metadata: { n: 1, yes: true, who: 'ä', tags: ['x', 'y'] } },
      { key: 'b', metadata: {} },
    ]);
  });

  it('that is put again is another one, its metadata too', async () => {
    await put(vector('a', [1, 0], { old: 1 }));
    await put(vector('a', [0, 1], { fresh: 1 }));
    expect(await get({ keys: ['a'], returnData: true, returnMetadata: true })).toStrictEqual([
      { key: 'a', data: { float32: [0, 1] }, metadata: { fresh: 1 } },
    ]);
    expect(keysOf((await query({ filter: { old: 1 } })).vectors)).toStrictEqual([]);
  });

  it('is found by the query after its put, and by none after its removal', async () => {
    await put(vector('a', [1, 0]), vector('b', [1, 1]));
    expect(keysOf((await query()).vectors)).toStrictEqual(['a', 'b']);
    await remove('a', 'never-there');
    expect(keysOf((await query()).vectors)).toStrictEqual(['b']);
    expect(keysOf((await list()).vectors)).toStrictEqual(['b']);
    expect(await get({ keys: ['a'] })).toStrictEqual([]);
  });

  it('is addressed by the index’s ARN as well', async () => {
    await client.send(new PutVectorsCommand({ indexArn: LINES, vectors: [vector('a', [1, 0])] }));
    expect(keysOf((await list()).vectors)).toStrictEqual(['a']);
  });

  it.each<[string, PutInputVector, unknown]>([
    [
      'a dimension less',
      vector('a', [1]),
      record('/vectors/0/data', 'vector must have length 2, but has length 1'),
    ],
    [
      'a dimension more',
      vector('a', [1, 2, 3]),
      record('/vectors/0/data', 'vector must have length 2, but has length 3'),
    ],
    [
      'only zeros',
      vector('a', [0, -0]),
      record('/vectors/0/data', 'vector must not be all zeros with the metric cosine'),
    ],
    [
      'what float32 has for zero',
      vector('a', [1e-60, 0]),
      record('/vectors/0/data', 'vector must not be all zeros with the metric cosine'),
    ],
    ...[NaN, Infinity, 1e39].map((number): [string, PutInputVector, unknown] => [
      `${number}`,
      vector('a', [1, number]),
      record('/vectors/0/data', 'vector must have finite float32 values only'),
    ]),
    [
      'null in its metadata',
      vector('a', [1, 0], { n: null }),
      record(
        '/vectors/0/metadata',
        "Metadata value of 'n' must be a string, a number, a boolean or a list of strings",
      ),
    ],
    [
      'an object in its metadata',
      vector('a', [1, 0], { n: { m: 1 } }),
      record(
        '/vectors/0/metadata',
        "Metadata value of 'n' must be a string, a number, a boolean or a list of strings",
      ),
    ],
    [
      'a list of numbers in its metadata',
      vector('a', [1, 0], { n: [1] }),
      record(
        '/vectors/0/metadata',
        "Metadata value of 'n' must be a string, a number, a boolean or a list of strings",
      ),
    ],
    [
      'a list as metadata',
      vector('a', [1, 0], ['x']),
      record('/vectors/0/metadata', 'Metadata must be an object'),
    ],
    [
      'no key',
      vector('', [1, 0]),
      form('/vectors/0/key', 'Member must have length between 1 and 1024, inclusive'),
    ],
  ])('of %s is refused, and all that come with it', async (_, wrong, expected) => {
    expect(await refused(put(wrong, vector('good', [1, 0])))).toStrictEqual(expected);
    expect((await list()).vectors).toStrictEqual([]);
  });

  it('that is there twice in a request is refused', async () => {
    expect(await refused(put(vector('a', [1, 0]), vector('a', [0, 1])))).toStrictEqual(
      record('/vectors/1/key', 'the request has it twice'),
    );
  });
});

describe('a limit', () => {
  const LONGEST = 'ä'.repeat(1_023) + '🧾';
  const keysBetween = (most: number) =>
    form('/keys', `Member must have length between 1 and ${most}, inclusive`);
  /** Metadata whose JSON text has so many bytes. */
  const sized = (key: string, bytes: number) => ({ [key]: 'x'.repeat(bytes - 7 - key.length) });
  const keyed = (keys: number) =>
    Object.fromEntries(Array.from({ length: keys }, (_, n) => [`k${n}`, n]));

  it.each<[string, () => Promise<unknown>, () => Promise<unknown>, unknown]>([
    [
      '500 vectors a put',
      () => put(...many(500)),
      () => put(...many(501)),
      form('/vectors', 'Member must have length between 1 and 500, inclusive'),
    ],
    [
      'a vector a put',
      () => put(...many(1)),
      () => put(),
      form('/vectors', 'Member must have length between 1 and 500, inclusive'),
    ],
    [
      '500 keys a removal',
      () => remove(...Array.from({ length: 500 }, String)),
      () => remove(...Array.from({ length: 501 }, String)),
      keysBetween(500),
    ],
    [
      '100 keys a get',
      () => get({ keys: Array.from({ length: 100 }, String) }),
      () => get({ keys: Array.from({ length: 101 }, String) }),
      keysBetween(100),
    ],
    [
      '1,024 characters a key',
      () => put(vector(LONGEST, [1, 0])),
      () => put(vector(`${LONGEST}a`, [1, 0])),
      form('/vectors/0/key', 'Member must have length between 1 and 1024, inclusive'),
    ],
    [
      '2 KB of filterable metadata',
      () => put(vector('a', [1, 0], { ...sized('n', 2_048), text: 'x'.repeat(9_000) })),
      () => put(vector('a', [1, 0], sized('n', 2_049))),
      record('/vectors/0/metadata', 'Filterable metadata must have at most 2048 bytes'),
    ],
    [
      '40 KB of metadata',
      () => put(vector('a', [1, 0], sized('text', 40_960))),
      () => put(vector('a', [1, 0], sized('text', 40_961))),
      record('/vectors/0/metadata', 'Metadata must have at most 40960 bytes'),
    ],
    [
      '50 keys of metadata',
      () => put(vector('a', [1, 0], keyed(50))),
      () => put(vector('a', [1, 0], keyed(51))),
      record('/vectors/0/metadata', 'Metadata object must have at most 50 keys'),
    ],
    [
      'a topK of 10,000',
      () => query({ topK: 10_000 }),
      () => query({ topK: 10_001 }),
      form('/topK', 'Member must be a whole number between 1 and 10000, inclusive'),
    ],
    [
      'a topK of 1',
      () => query({ topK: 1 }),
      () => query({ topK: 0 }),
      form('/topK', 'Member must be a whole number between 1 and 10000, inclusive'),
    ],
    [
      '1,000 vectors a page',
      () => list({ maxResults: 1_000 }),
      () => list({ maxResults: 1_001 }),
      form('/maxResults', 'Member must be a whole number between 1 and 1000, inclusive'),
    ],
  ])('of %s is kept to', async (_, within, past, expected) => {
    await within();
    expect(await refused(past())).toStrictEqual(expected);
  });

  it('of 2 KB is counted in bytes, not in characters', async () => {
    await put(vector('a', [1, 0], { n: 'ä'.repeat(1_020) }));
    expect(await refused(put(vector('a', [1, 0], { n: 'ä'.repeat(1_021) })))).toStrictEqual(
      record('/vectors/0/metadata', 'Filterable metadata must have at most 2048 bytes'),
    );
  });

  it('of writes a second is there when it is asked for, for each index, and nothing is written past it', async () => {
    standIn.createIndex({ ...at, indexName: 'words', dimension: 2, distanceMetric: 'cosine' });
    let now = 0;
    const unlimited = standIn.limitWrites({ now: () => now });
    const write = (indexName: string, from: number) =>
      client.send(
        new PutVectorsCommand({
          ...at,
          indexName,
          vectors: many(500).map((one) => ({ ...one, key: `${from}-${one.key ?? ''}` })),
        }),
      );
    for (let n = 0; n < 5; n++) await write('lines', n);
    expect(await refused(write('lines', 5))).toMatchObject({
      name: 'TooManyRequestsException',
      status: 429,
    });
    expect(await refused(remove('a'))).toMatchObject({ name: 'TooManyRequestsException' });
    await query();
    await write('words', 0);
    expect(standIn.vectors(at).size).toBe(2_500);
    now = 200;
    await write('lines', 5);
    expect(await refused(remove('a'))).toMatchObject({ name: 'TooManyRequestsException' });
    unlimited();
    await remove('a');
  });

  it('of requests a second counts each, however small', async () => {
    let now = 0;
    standIn.limitWrites({ requestsPerSecond: 2, now: () => now });
    await remove('a');
    await put(vector('a', [1, 0]));
    expect(await refused(remove('a'))).toMatchObject({ name: 'TooManyRequestsException' });
    now = 500;
    await remove('a');
  });
});

describe('a query', () => {
  it('gives the nearest first, with what is asked for', async () => {
    await put(vector('far', [-1, 0]), vector('near', [1, 0], { n: 1 }), vector('half', [0, 5]));
    expect(await query({ topK: 2, returnDistance: true, returnMetadata: true })).toMatchObject({
      vectors: [
        { key: 'near', distance: 0, metadata: { n: 1 } },
        { key: 'half', distance: 1, metadata: {} },
      ],
      distanceMetric: 'cosine',
    });
    const { vectors, nextToken } = await query();
    expect([vectors, nextToken]).toStrictEqual([
      [{ key: 'near' }, { key: 'half' }, { key: 'far' }],
      undefined,
    ]);
  });

  it('is filtered before it is cut', async () => {
    await put(...many(50).map((one, n) => ({ ...one, metadata: { n, text: 'x' } })));
    const { vectors } = await query({ topK: 2, filter: { n: { $gte: 40 } }, returnMetadata: true });
    expect(vectors?.map(({ metadata }) => metadata)).toStrictEqual([
      { n: 40, text: 'x' },
      { n: 41, text: 'x' },
    ]);
  });

  it('keeps what has no key where it is told to', async () => {
    await put(vector('a', [1, 0], { n: 1 }), vector('b', [1, 0]));
    const filter = { n: { $ne: 1 } };
    expect(keysOf((await query({ filter })).vectors)).toStrictEqual([]);
    standIn.missingKeys = 'kept';
    expect(keysOf((await query({ filter })).vectors)).toStrictEqual(['b']);
  });

  it('has 100 hits a page and topK in all, of which a write between pages repeats none', async () => {
    await put(...many(300));
    const seen: (string | undefined)[] = [];
    const pages: number[] = [];
    let nextToken: string | undefined;
    do {
      const page = await query({ topK: 250, ...(nextToken === undefined ? {} : { nextToken }) });
      pages.push(page.vectors?.length ?? 0);
      seen.push(...keysOf(page.vectors));
      nextToken = page.nextToken;
      await put(vector(`new-${pages.length}`, [1, 0]));
      await remove(`key-${pages.length}`);
    } while (nextToken !== undefined);
    expect(pages).toStrictEqual([100, 100, 50]);
    expect(seen).toStrictEqual(Array.from({ length: 250 }, (_, n) => `key-${n}`));
  });

  it('has no next page after its last hit', async () => {
    await put(...many(200));
    const first = await query({ topK: 200 });
    const { nextToken = '' } = first;
    expect((await query({ topK: 200, nextToken })).nextToken).toBeUndefined();
    expect((await query({ topK: 100 })).nextToken).toBeUndefined();
  });

  it.each<[string, Partial<QueryVectorsCommandInput>, unknown]>([
    [
      'another dimension',
      { queryVector: { float32: [1] } },
      invalid('/queryVector', 'Query vector must have length 2, but has length 1'),
    ],
    [
      'only zeros',
      { queryVector: { float32: [0, 0] } },
      invalid('/queryVector', 'Query vector must not be all zeros with the metric cosine'),
    ],
    [
      'a key that is not filterable',
      { filter: { text: 'x' } },
      invalid('/filter', "Metadata key 'text' is not filterable"),
    ],
    ['no filter', { filter: 'x' }, invalid('/filter', 'A filter must be an object')],
    ['no token', { nextToken: 'x' }, invalid('/nextToken', 'The next token is not valid')],
  ])('of %s is refused', async (_, input, expected) => {
    expect(await refused(query(input))).toStrictEqual(expected);
  });

  it('does not go on with the token of another', async () => {
    await put(...many(200));
    const { nextToken = '' } = await query({ topK: 150 });
    const other = { topK: 150, nextToken, queryVector: { float32: [0, 1] } };
    expect(await refused(query(other))).toStrictEqual(
      invalid('/nextToken', 'The next token is not valid'),
    );
  });
});

describe('a listing of vectors', () => {
  /** All pages, as the sizes of each and the keys. */
  async function whole(
    input: Partial<ListVectorsCommandInput>,
  ): Promise<[number[], (string | undefined)[]]> {
    const pages: number[] = [];
    const keys: (string | undefined)[] = [];
    let nextToken: string | undefined;
    do {
      const page = await list({ ...input, ...(nextToken === undefined ? {} : { nextToken }) });
      pages.push(page.vectors?.length ?? 0);
      keys.push(...keysOf(page.vectors));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return [pages, keys];
  }

  it('has each once, in pages of 500 or as many as are asked for', async () => {
    await put(...many(500));
    await put(vector('last', [1, 1]));
    const keys = [...keysOf(many(500)), 'last'];
    expect(await whole({})).toStrictEqual([[500, 1], keys]);
    expect(await whole({ maxResults: 300 })).toStrictEqual([[300, 201], keys]);
  });

  it('ends a page before it has more than a megabyte', async () => {
    const text = 'x'.repeat(40_000);
    await put(...many(50).map((one) => ({ ...one, metadata: { text } })));
    const [pages] = await whole({ returnMetadata: true });
    expect(pages).toStrictEqual([26, 24]);
    expect((await whole({}))[0]).toStrictEqual([50]);
  });

  it('in segments has each once', async () => {
    await put(...many(50));
    const segments = await Promise.all(
      [0, 1, 2].map(async (segmentIndex) => (await whole({ segmentCount: 3, segmentIndex }))[1]),
    );
    expect(segments.flat().sort()).toStrictEqual(keysOf(many(50)).sort());
    expect(segments.map(({ length }) => length)).toStrictEqual([17, 17, 16]);
  });

  it.each<[string, Partial<ListVectorsCommandInput>, unknown]>([
    [
      'half of a segment',
      { segmentCount: 2 },
      invalid('/segmentIndex', 'segmentCount and segmentIndex must be given together'),
    ],
    [
      'a segment that is not there',
      { segmentCount: 2, segmentIndex: 2 },
      invalid('/segmentIndex', 'segmentIndex must be less than segmentCount'),
    ],
    ['no token', { nextToken: 'x' }, invalid('/nextToken', 'The next token is not valid')],
  ])('of %s is refused', async (_, input, expected) => {
    expect(await refused(list(input))).toStrictEqual(expected);
  });
});

describe('an index', () => {
  const create = (changes: Readonly<Record<string, unknown>> = {}) =>
    client.send(
      new CreateIndexCommand({
        vectorBucketName: 'vectors',
        indexName: 'words.v-2',
        dataType: 'float32',
        dimension: 4_096,
        distanceMetric: 'cosine',
        ...changes,
      }),
    );

  it('is described as it was created', async () => {
    const { index } = await client.send(new GetIndexCommand(at));
    expect(index).toMatchObject({
      ...at,
      indexArn: LINES,
      creationTime: CREATED,
      dataType: 'float32',
      dimension: 2,
      distanceMetric: 'cosine',
      metadataConfiguration: { nonFilterableMetadataKeys: ['text'] },
    });
  });

  it('is listed, page by page and by prefix, until it is deleted', async () => {
    expect((await create()).indexArn).toBe(`${BUCKET}/index/words.v-2`);
    const names = async (input: object) => {
      const { indexes, nextToken } = await client.send(
        new ListIndexesCommand({ vectorBucketName: 'vectors', ...input }),
      );
      return [indexes?.map(({ indexName }) => indexName), nextToken] as const;
    };
    expect(await names({})).toStrictEqual([['lines', 'words.v-2'], undefined]);
    expect(await names({ prefix: 'w' })).toStrictEqual([['words.v-2'], undefined]);
    const [first, nextToken] = await names({ maxResults: 1 });
    expect(first).toStrictEqual(['lines']);
    expect(await names({ maxResults: 1, nextToken })).toStrictEqual([['words.v-2'], undefined]);
    await client.send(new DeleteIndexCommand(at));
    expect(await names({})).toStrictEqual([['words.v-2'], undefined]);
    expect(await refused(list())).toMatchObject({ name: 'NotFoundException' });
  });

  it.each<[string, () => Promise<unknown>, object]>([
    [
      'that is there already',
      () => create({ indexName: 'lines' }),
      { name: 'ConflictException', status: 409 },
    ],
    [
      'with capital letters in its name',
      () => create({ indexName: 'Lines' }),
      invalid('/indexName', 'Invalid index name'),
    ],
    [
      'with a short name',
      () => create({ indexName: 'ab' }),
      form('/indexName', 'Member must have length between 3 and 63, inclusive'),
    ],
    [
      'of 4,097 dimensions',
      () => create({ dimension: 4_097 }),
      form('/dimension', 'Member must be a whole number between 1 and 4096, inclusive'),
    ],
    [
      'with 11 keys that are not filterable',
      () =>
        create({
          metadataConfiguration: { nonFilterableMetadataKeys: Array.from({ length: 11 }, String) },
        }),
      form(
        '/metadataConfiguration/nonFilterableMetadataKeys',
        'Member must have length between 0 and 10, inclusive',
      ),
    ],
    [
      'of another data type',
      () => create({ dataType: 'float64' }),
      form('/dataType', 'Member must satisfy enum value set: [float32]'),
    ],
    [
      'without a dimension',
      () => create({ dimension: undefined }),
      form('/dimension', 'Member must not be null'),
    ],
    [
      'by euclidean distance',
      () => create({ distanceMetric: 'euclidean' }),
      {
        name: 'NotImplemented',
        status: 501,
        message: 'The metric euclidean is not implemented by the embedded AWS.',
      },
    ],
    [
      'in a bucket that is not there',
      () => create({ vectorBucketName: 'nowhere' }),
      {
        name: 'NotFoundException',
        status: 404,
        message: 'The specified vector bucket could not be found',
      },
    ],
  ])('%s is not created', async (_, ask, expected) => {
    expect(await refused(ask())).toMatchObject(expected);
  });

  it.each([
    { ...at, indexName: 'other' },
    { ...at, vectorBucketName: 'other' },
    { indexArn: LINES.replace('lines', 'other') },
    { indexArn: LINES.replace('000000000000', '111111111111') },
    { indexArn: LINES.replace('us-east-1', 'us-west-2') },
  ])('that is not there is not found: %j', async (address) => {
    expect(await refused(client.send(new ListVectorsCommand(address)))).toStrictEqual({
      name: 'NotFoundException',
      status: 404,
      message: 'The specified index could not be found',
      fieldList: undefined,
    });
  });

  it.each([
    {},
    { vectorBucketName: 'vectors' },
    { indexName: 'lines' },
    { ...at, indexArn: LINES },
  ])('is not addressed by %j', async (address) => {
    expect(await refused(client.send(new ListVectorsCommand(address)))).toMatchObject({
      name: 'ValidationException',
      message: 'Must specify either indexArn or both vectorBucketName and indexName',
    });
  });
});

describe('a vector bucket', () => {
  it('is described, by name and ARN, and listed', async () => {
    await client.send(new CreateVectorBucketCommand({ vectorBucketName: 'another' }));
    const { vectorBucket } = await client.send(
      new GetVectorBucketCommand({ vectorBucketArn: BUCKET }),
    );
    const summary = {
      vectorBucketName: 'vectors',
      vectorBucketArn: BUCKET,
      creationTime: CREATED,
    };
    expect(vectorBucket).toMatchObject(summary);
    const { vectorBuckets } = await client.send(new ListVectorBucketsCommand({ prefix: 'v' }));
    expect(vectorBuckets).toStrictEqual([summary]);
    const all = await client.send(new ListVectorBucketsCommand({}));
    expect(all.vectorBuckets?.map(({ vectorBucketName }) => vectorBucketName)).toStrictEqual([
      'another',
      'vectors',
    ]);
  });

  it.each([
    { vectorBucketName: 'nowhere' },
    { vectorBucketArn: BUCKET.replace('/vectors', '/nowhere') },
    { vectorBucketArn: BUCKET.replace('000000000000', '111111111111') },
  ])('that is not there is not found: %j', async (address) => {
    expect(await refused(client.send(new ListIndexesCommand(address)))).toMatchObject({
      name: 'NotFoundException',
      status: 404,
      message: 'The specified vector bucket could not be found',
    });
  });

  it('is deleted once it has no indexes', async () => {
    const vectorBucketName = 'vectors';
    const destroy = () => client.send(new DeleteVectorBucketCommand({ vectorBucketName }));
    expect(await refused(destroy())).toMatchObject({
      name: 'ConflictException',
      status: 409,
      message: 'The specified vector bucket is not empty',
    });
    await client.send(new DeleteIndexCommand(at));
    await destroy();
    expect(
      await refused(client.send(new GetVectorBucketCommand({ vectorBucketName }))),
    ).toMatchObject({
      name: 'NotFoundException',
    });
  });

  it.each([
    ['that is there already', 'vectors', { name: 'ConflictException' }],
    ['with a full stop in its name', 'a.bucket', { message: 'Invalid vector bucket name' }],
    [
      'with a short name',
      'ab',
      form('/vectorBucketName', 'Member must have length between 3 and 63, inclusive'),
    ],
  ])('%s is not created', async (_, vectorBucketName, expected) => {
    const asked = client.send(new CreateVectorBucketCommand({ vectorBucketName }));
    expect(await refused(asked)).toMatchObject(expected);
  });
});

describe('an operation that is not here', () => {
  it.each<[string, () => Promise<unknown>]>([
    [
      'PutVectorBucketPolicy',
      () =>
        client.send(
          new PutVectorBucketPolicyCommand({ vectorBucketName: 'vectors', policy: '{}' }),
        ),
    ],
    [
      'ListTagsForResource',
      () => client.send(new ListTagsForResourceCommand({ resourceArn: BUCKET })),
    ],
  ])('is NotImplemented, with its name: %s', async (name, ask) => {
    expect(await refused(ask())).toMatchObject({
      name: 'NotImplemented',
      status: 501,
      message: `${name} is not implemented by the embedded AWS.`,
    });
  });
});
