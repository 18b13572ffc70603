import { describe, expect, it } from 'vitest';
import { ConcurrentUpdate, RateLimited, UpstreamUnavailable } from './errors.ts';
import { RETRY_POLICIES, type RetryPolicy, retrying } from './retry.ts';

const THROTTLED = new RateLimited('slow down');
const UNAVAILABLE = new UpstreamUnavailable('no answer');

/** Work that fails with these errors, one a try, before it is done; and how long it would have waited in between. */
async function retried(
  policy: RetryPolicy,
  errors: readonly Error[],
  { random = 1, asked }: { readonly random?: number; readonly asked?: number } = {},
) {
  const waits: number[] = [];
  let tries = 0;
  const work = (): Promise<string> => {
    const error = errors[tries++];
    return error === undefined ? Promise.resolve('done') : Promise.reject(error);
  };
  const sleep = (milliseconds: number): Promise<void> => {
    waits.push(milliseconds);
    return Promise.resolve();
  };
  const result = await retrying(policy, work, {
    random: () => random,
    sleep,
    askedWait: () => asked,
  }).catch((thrown: unknown) => thrown);
  return { result, tries, waits };
}

describe('work with a retry policy', () => {
  const POLICY: RetryPolicy = {
    tries: { RateLimited: 5, UpstreamUnavailable: 2 },
    firstMs: 100,
    capMs: 300,
    waitingMs: 1_000,
  };

  it('is done once where it does not fail', async () => {
    expect(await retried(POLICY, [])).toStrictEqual({ result: 'done', tries: 1, waits: [] });
  });

  it('is done again after longer and longer waits, up to the cap', async () => {
    expect(await retried(POLICY, Array<Error>(4).fill(THROTTLED))).toStrictEqual({
      result: 'done',
      tries: 5,
      waits: [100, 200, 300, 300],
    });
  });

  it('waits a random part of each time', async () => {
    const { waits } = await retried(POLICY, [THROTTLED, THROTTLED], { random: 0.25 });

    expect(waits).toStrictEqual([25, 50]);
  });

  it('waits as long as the vendor asks, however many tries there were', async () => {
    const { waits } = await retried(POLICY, [THROTTLED, THROTTLED], { asked: 450 });

    expect(waits).toStrictEqual([450, 450]);
  });

  it('counts each kind of failure apart', async () => {
    const mixed = [UNAVAILABLE, THROTTLED, THROTTLED, UNAVAILABLE];

    expect(await retried(POLICY, mixed)).toStrictEqual({
      result: UNAVAILABLE,
      tries: 4,
      waits: [100, 100, 200],
    });
  });

  it('fails rather than wait longer than it may in all', async () => {
    expect(await retried(POLICY, [THROTTLED, THROTTLED, THROTTLED], { asked: 500 })).toStrictEqual({
      result: THROTTLED,
      tries: 3,
      waits: [500, 500],
    });
  });

  it.each([new Error('denied'), new ConcurrentUpdate('lost'), 'text'])(
    'fails at once with what the policy does not list: %s',
    async (error) => {
      expect(await retried(POLICY, [error as Error])).toStrictEqual({
        result: error,
        tries: 1,
        waits: [],
      });
    },
  );
});

describe('the policy', () => {
  it.each([
    ['dynamodb', RETRY_POLICIES.dynamodb, THROTTLED, 3, 300],
    ['dynamodb_bulk', RETRY_POLICIES.dynamodb_bulk, THROTTLED, 12, 31_300],
    ['dynamodb_bulk', RETRY_POLICIES.dynamodb_bulk, UNAVAILABLE, 3, 300],
    ['contended_row', RETRY_POLICIES.contended_row, new ConcurrentUpdate('lost'), 5, 0],
    ['s3', RETRY_POLICIES.s3, UNAVAILABLE, 3, 300],
    ['pinecone', RETRY_POLICIES.pinecone, THROTTLED, 6, 31_000],
    ['pinecone', RETRY_POLICIES.pinecone, UNAVAILABLE, 3, 3_000],
  ])(
    '%s gives up after its last try, and not before: %#',
    async (_, policy, error, most, longest) => {
      const { result, tries, waits } = await retried(policy, Array<Error>(most).fill(error));
      const before = await retried(policy, Array<Error>(most - 1).fill(error));

      expect([result, tries]).toStrictEqual([error, most]);
      expect(waits.reduce((sum, wait) => sum + wait, 0)).toBe(longest);
      expect(before.result).toBe('done');
    },
  );
});
