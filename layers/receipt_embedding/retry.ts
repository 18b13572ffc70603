import { setTimeout as sleep } from 'node:timers/promises';

/** Failures that another try may cure, by the names of the layer's errors. */
type RetriedError = 'RateLimited' | 'UpstreamUnavailable' | 'ConcurrentUpdate';

/** How often one request is tried, and how long it waits in between. */
export interface RetryPolicy {
  /**
   * Tries in all for each kind of failure; a kind that is not listed is not retried. The kinds are counted apart, so one request is
   * sent at most (sum of these − number of kinds + 1) times.
   */
  readonly tries: Readonly<Partial<Record<RetriedError, number>>>;
  /** The n-th wait is a random time of up to `firstMs · 2^(n − 1)`, at most `capMs`. */
  readonly firstMs: number;
  readonly capMs: number;
  /** A wait that would bring the sum of all waits above this ends the request instead. @default no limit */
  readonly waitingMs?: number;
}

/**
 * Every caller's policy. Each request has one owner of its retries: the clients of AWS and Pinecone are created without retries of
 * their own, OpenAI's client with its own alone. Longer waiting is the state machine's, which does not pay for it.
 *
 * | caller               | sent at most | waits at most             | owner                          |
 * | -------------------- | ------------ | ------------------------- | ------------------------------ |
 * | `dynamodb`           | 5 times      | 0.6 s                     | table/table.ts                 |
 * | `dynamodb_bulk`      | 14 times     | 32 s, on average 16 s     | table.ts, update_statements.ts |
 * | `contended_row`      | 5 rounds     | nothing                   | table/embedding_statuses.ts    |
 * | `contended_record`   | 10 rounds    | 5 s                       | table/embedded_receipts.ts     |
 * | `s3`                 | 7 times      | 0.9 s                     | s3_objects.ts                  |
 * | `step_functions`     | 5 times      | 0.6 s                     | executions.ts                  |
 * | `sqs`                | 5 times      | 0.6 s                     | arrivals/arrival_queue.ts      |
 * | `pinecone`           | 8 times      | 60 s                      | stores/pinecone                |
 * | `s3_vectors`         | 14 times     | 60 s                      | stores/s3_vectors              |
 * | `chroma`             | 10 times     | 60 s                      | stores/chroma                  |
 * | `OPENAI_RETRIES`     | 3 times      | what OpenAI asks for      | OpenAI's client                |
 * | merchant look-ups    | once         | nothing                   | a failed look-up is no failure |
 */
export const RETRY_POLICIES = {
  /** One row, or one page of a query. */
  dynamodb: { tries: { RateLimited: 3, UpstreamUnavailable: 3 }, firstMs: 100, capMs: 5_000 },
  /** Writes by the ten thousand, all of which change the same few keys of an index, and readings of a whole index. */
  dynamodb_bulk: { tries: { RateLimited: 12, UpstreamUnavailable: 3 }, firstMs: 100, capMs: 5_000 },
  /** A row that somebody else changes between reading and writing it: it comes with the refusal, so there is nothing to wait for. */
  contended_row: { tries: { ConcurrentUpdate: 5 }, firstMs: 0, capMs: 0 },
  /** A receipt's record, which the parts of several batches and a realtime run may change at once. */
  contended_record: { tries: { ConcurrentUpdate: 10 }, firstMs: 20, capMs: 1_000 },
  /** An object, opened or sent anew for each try. */
  s3: {
    tries: { RateLimited: 3, UpstreamUnavailable: 3, ConcurrentUpdate: 3 },
    firstMs: 100,
    capMs: 5_000,
  },
  /** One question about one execution, or its start under a name, which is no second one. */
  step_functions: { tries: { RateLimited: 3, UpstreamUnavailable: 3 }, firstMs: 100, capMs: 5_000 },
  /** One message: sent twice, it is handled twice, to the same effect. */
  sqs: { tries: { RateLimited: 3, UpstreamUnavailable: 3 }, firstMs: 100, capMs: 5_000 },
  /** Pinecone asks its callers to back off from 429 for longer than from failures. */
  pinecone: {
    tries: { RateLimited: 6, UpstreamUnavailable: 3 },
    firstMs: 1_000,
    capMs: 20_000,
    waitingMs: 60_000,
  },
  /**
   * 2,500 vectors a second are all writers' together, and a batch of the largest size may be more than the service has room for at
   * the moment (ServiceUnavailableException).
   */
  s3_vectors: {
    tries: { RateLimited: 10, UpstreamUnavailable: 5 },
    firstMs: 200,
    capMs: 20_000,
    waitingMs: 60_000,
  },
  /** A server of one's own that starts anew, or Chroma Cloud that throttles; two makers of one collection at once. */
  chroma: {
    tries: { RateLimited: 6, UpstreamUnavailable: 3, ConcurrentUpdate: 3 },
    firstMs: 1_000,
    capMs: 20_000,
    waitingMs: 60_000,
  },
} as const satisfies Readonly<Record<string, RetryPolicy>>;

/** The options of a request to the table that is one of ten thousands. */
export const BULK = { retry: RETRY_POLICIES.dynamodb_bulk } as const;

/** Settings of OpenAI's client, which obeys Retry-After by itself; creating a batch sets `maxRetries: 0`. */
export const OPENAI_RETRIES = { maxRetries: 2 } as const;

/** What retrying depends on beside the work. */
export interface RetryPorts {
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  /** Milliseconds that the vendor asked for in its last answer; they replace the random wait. */
  readonly askedWait?: () => number | undefined;
}

const SYSTEM_RETRY_PORTS: RetryPorts = { random: Math.random, sleep };

/**
 * Does `work` again while it fails with what the policy lists. The waits grow exponentially with full jitter, so that many
 * callers that were throttled together do not come back together.
 *
 * @returns what the first try that succeeds returns.
 * @throws what the last try threw: when its kind has no try left, is not listed, or waiting would exceed the policy's `waitingMs`.
 * @example
 * ```ts
 * await retrying(RETRY_POLICIES.dynamodb, () => client.send(command));
 * // throttled twice: waits up to 100 ms, then up to 200 ms; throttled a third time: throws RateLimited
 * ```
 */
export async function retrying<Result>(
  policy: RetryPolicy,
  work: () => Promise<Result>,
  { random, sleep, askedWait }: RetryPorts = SYSTEM_RETRY_PORTS,
): Promise<Result> {
  const { tries, firstMs, capMs, waitingMs = Infinity } = policy;
  const failures: Partial<Record<RetriedError, number>> = {};
  let waited = 0;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const kind = (error instanceof Error ? error.name : '') as RetriedError;
      const failed = (failures[kind] = (failures[kind] ?? 0) + 1);
      if (failed >= (tries[kind] ?? 1)) throw error;
      const wait = askedWait?.() ?? random() * Math.min(capMs, firstMs * 2 ** (failed - 1));
      if (waited + wait > waitingMs) throw error;
      waited += wait;
      await sleep(wait);
    }
  }
}
