import { ConnectionCut, type RunningServer, serve } from 'embedded-aws/http/server';
import type { Service } from 'embedded-aws/http/service';
import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { outcomesOf } from '../support/execution_histories.ts';
import { expectInvariants } from '../support/invariants.ts';
import { aMetadata } from '../support/receipt_factory.ts';
import { smallReceipt } from '../support/stack_receipts.ts';
import { storedRuns } from '../support/stored_vectors.ts';
import { TestStack } from '../support/test_stack.ts';
import { without } from '../support/without.ts';

const PHONE = '5552347788';
const COLLECTIONS = '/api/v2/tenants/default_tenant/databases/default_database/collections';

interface ChromaQuery {
  readonly query_embeddings: readonly (readonly number[])[];
  readonly n_results: number;
}

/** Chroma's HTTP API as far as it is used, with one other receipt in its collection `lines`. */
const chroma = {
  neighbour: {} as Readonly<Record<string, string>>,
  fail: undefined as undefined | 'cut' | 'no collection' | number,
  paths: [] as string[],
  queries: [] as ChromaQuery[],
};

const answer: Service = (request) => {
  chroma.paths.push(`${request.method} ${request.path}`);
  if (chroma.fail === 'cut') return Promise.reject(new ConnectionCut());
  if (chroma.fail === 'no collection') {
    return Promise.resolve({
      status: 404,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        error: 'NotFoundError',
        message: 'Collection [lines] does not exist',
      }),
    });
  }
  if (chroma.fail !== undefined) return Promise.resolve({ status: chroma.fail });
  const json = (body: unknown) =>
    Promise.resolve({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  if (request.path === `${COLLECTIONS}/lines`) return json({ id: 'c0ffee', name: 'lines' });
  if (request.path !== `${COLLECTIONS}/c0ffee/query`) return Promise.resolve({ status: 404 });
  const query = JSON.parse(request.body.toString()) as ChromaQuery;
  chroma.queries.push(query);
  return json({ metadatas: query.query_embeddings.map(() => [chroma.neighbour]) });
};

let stack: TestStack;
let server: RunningServer;

beforeAll(async () => {
  server = await serve(answer, 0);
  stack = await TestStack.start({ config: { chroma_http_endpoint: server.url } });
});

afterAll(async () => {
  await stack.close();
  await server.close();
});

beforeEach(async () => {
  await stack.reset();
  chroma.neighbour = {
    image_id: '0c7c5b1e-6a52-4a3f-8a5e-0a2b8f3d9c11',
    receipt_id: '1',
    merchant_name: 'Corner Market',
    normalized_phone_10: PHONE,
  };
  chroma.fail = undefined;
  chroma.paths.length = 0;
  chroma.queries.length = 0;
});

/** A receipt of an unknown merchant, with a phone number on its first word that is no noise. */
function unknownMerchants(): SyntheticReceipt {
  const receipt = smallReceipt();
  const first = receipt.words.findIndex(({ is_noise }) => !is_noise);
  return {
    ...without(receipt, 'metadata'),
    words: receipt.words.map((word, at) => ({
      ...word,
      extracted_data: at === first ? { type: 'phone' as const, value: '(555) 234-7788' } : null,
    })),
  };
}

async function merchantOf(
  { receipt }: SyntheticReceipt,
  run: { readonly execution: { readonly executionArn: string } },
): Promise<unknown> {
  const outcome = (await outcomesOf(stack, run.execution.executionArn)).get(receipt.image_id);
  if (outcome?.status !== 'success') return outcome;
  return { name: outcome.merchant_name, source: outcome.merchant_source };
}

/** The merchants' names in all vectors that were written. */
async function writtenNames(): Promise<unknown[]> {
  const runs = await storedRuns(stack);
  const names = runs.flatMap(({ lines, words }) =>
    [...lines, ...words].map(({ metadata }) => metadata['merchant_name']),
  );
  return [...new Set(names)];
}

describe('a receipt without metadata', () => {
  it('gets the merchant of a neighbour with its phone number, and pays for no text twice', async () => {
    const receipt = unknownMerchants();
    await stack.load([receipt]);
    const before = stack.local.openai.requests.length;

    const run = await stack.run();

    expect(await merchantOf(receipt, run)).toStrictEqual({
      name: 'Corner Market',
      source: 'chroma',
    });
    expect(await writtenNames()).toStrictEqual(['Corner Market']);
    expect(chroma.paths).toStrictEqual([
      `GET ${COLLECTIONS}/lines`,
      `POST ${COLLECTIONS}/c0ffee/query`,
    ]);
    expect(
      chroma.queries.map(({ query_embeddings }) => query_embeddings.map(({ length }) => length)),
    ).toStrictEqual([[stack.local.embeddingModel.dimensions]]);
    const inputs = stack.local.openai.requests.slice(before).flatMap((request) => request.inputs);
    expect(new Set(inputs).size).toBe(inputs.length);
    await expectInvariants(stack);
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['another phone number', { normalized_phone_10: '5559998888' }],
    ['no merchant of its own', { merchant_name: '' }],
  ])('takes no name from a neighbour with %s', async (_, difference) => {
    const receipt = unknownMerchants();
    await stack.load([receipt]);
    chroma.neighbour = { ...chroma.neighbour, ...difference };

    const run = await stack.run();

    expect(await merchantOf(receipt, run)).toStrictEqual({ name: null, source: 'unknown' });
    expect(await writtenNames()).toStrictEqual(['']);
    expect(chroma.queries).toHaveLength(1);
  });

  it('takes no name from itself', async () => {
    const receipt = unknownMerchants();
    await stack.load([receipt]);
    const { image_id, receipt_id } = receipt.receipt;
    chroma.neighbour = { ...chroma.neighbour, image_id, receipt_id: String(receipt_id) };

    expect(await merchantOf(receipt, await stack.run())).toStrictEqual({
      name: null,
      source: 'unknown',
    });
  });

  it.each<['cut' | number, string]>([
    [500, 'UpstreamUnavailable'],
    [404, 'InvalidConfiguration'],
    [429, 'RateLimited'],
    ['cut', 'UpstreamUnavailable'],
  ])(
    'is embedded all the same when Chroma fails (%s): a warning and a metric',
    async (fail, name) => {
      const receipt = unknownMerchants();
      await stack.load([receipt]);
      chroma.fail = fail;

      const run = await stack.run();

      expect(run.summary).toMatchObject({ total: 1, succeeded: 1, failed: 0 });
      expect(await merchantOf(receipt, run)).toStrictEqual({ name: null, source: 'unknown' });
      const warnings = stack.logs
        .filter((line) => line.includes('"level":"WARN"'))
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
      expect(warnings.map(({ source, error }) => ({ source, error }))).toStrictEqual([
        { source: 'chroma', error: name },
      ]);
      expect(stack.logs.filter((line) => line.includes('"MerchantLookupsFailed":1'))).toHaveLength(
        1,
      );
      await expectInvariants(stack);
    },
  );

  it('that is embedded is not looked up again, unless it is forced', async () => {
    const receipt = unknownMerchants();
    await stack.load([receipt]);
    chroma.fail = 500;
    await stack.run();
    chroma.fail = undefined;
    chroma.paths.length = 0;

    const [{ summary }, requests] = await stack.countingRequests(() => stack.run());

    expect(summary).toMatchObject({ succeeded: 0, reused: 1 });
    expect({ requests, lookups: chroma.paths }).toStrictEqual({ requests: 0, lookups: [] });

    const forced = await stack.run({ force: true });

    expect(await merchantOf(receipt, forced)).toStrictEqual({
      name: 'Corner Market',
      source: 'chroma',
    });
    expect((await writtenNames()).toSorted()).toStrictEqual(['', 'Corner Market']);
    await expectInvariants(stack);
  });

  it('is nobody’s where Chroma has no collection: no lookup failed, and it is said once', async () => {
    chroma.fail = 'no collection';
    await stack.load([unknownMerchants()]);

    const { summary } = await stack.run();
    await stack.run({ force: true });

    expect(summary).toMatchObject({ succeeded: 1, failed: 0 });
    expect(chroma.paths).toHaveLength(2);
    const said = (text: string): number => stack.logs.filter((line) => line.includes(text)).length;
    expect(said('Chroma has no collection `lines`')).toBe(1);
    expect(said('a merchant lookup failed')).toBe(0);
  });

  it('and without phone or address asks nobody', async () => {
    const receipt = unknownMerchants();
    await stack.load([
      { ...receipt, words: receipt.words.map((word) => ({ ...word, extracted_data: null })) },
    ]);

    expect(await merchantOf(receipt, await stack.run())).toStrictEqual({
      name: null,
      source: 'unknown',
    });
    expect(chroma.paths).toStrictEqual([]);
  });
});

describe('a receipt with metadata', () => {
  it('keeps its own merchant, and asks nobody', async () => {
    const receipt = unknownMerchants();
    const { image_id, receipt_id } = receipt.receipt;
    await stack.load([
      {
        ...receipt,
        metadata: aMetadata({ image_id, receipt_id, canonical_merchant_name: 'The Market' }),
      },
    ]);

    expect(await merchantOf(receipt, await stack.run())).toStrictEqual({
      name: 'The Market',
      source: 'metadata',
    });
    expect(await writtenNames()).toStrictEqual(['The Market']);
    expect(chroma.paths).toStrictEqual([]);
  });
});
