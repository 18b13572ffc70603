import type { InvocationAnswer } from 'embedded-aws/step_functions/ports';
import { startFixture, thrown } from 'embedded-aws/step_functions/testing/stand_in_fixture';
import { describe, expect, it } from 'vitest';
import type { StoreName } from 'receipt-embedding/stores/vector_store';
import type { State } from '../../components/state_machines/asl.ts';
import { functionsOf } from '../../components/state_machines/workflows.ts';
import { defined, functionArn, type Workflow, WORKFLOWS } from './workflows.ts';

// Not proved here: what the functions themselves do.

const [{ definition, bucket, answers: SAMPLES }] = WORKFLOWS.filter(
  ({ name }) => name === 'batch_poll',
) as [Workflow];

interface Call {
  /** The folder of the function that was called. */
  readonly state: string;
  readonly payload: Record<string, unknown>;
}

/** The answers of a batch's functions; the others answer as workflows.ts says. */
type Answers = Readonly<Record<string, (payload: Call['payload']) => InvocationAnswer | undefined>>;

const LOGGED = SAMPLES[functionArn('log_batch_results')]?.[0] ?? {};
const EXECUTION = 'nightly-7';
const EXECUTION_ID = 'arn:execution';

/** Runs the workflow over these batches, and gives each one's result and every call of a function. */
async function poll(
  batchIds: readonly string[],
  answers: Answers,
): Promise<{ status: string; results: unknown[]; calls: Call[] }> {
  const calls: Call[] = [];
  const { create, run, objects } = await startFixture((payload, arn) => {
    const invoked = functionsOf(['batch_poll']).find(({ name }) => functionArn(name) === arn);
    if (invoked === undefined) throw new Error(`there is no function ${arn}`);
    const call = { state: invoked.name, payload: payload as Call['payload'] };
    calls.push(call);
    const sample = SAMPLES[arn]?.at(-1);
    const usual = { payload: { ...sample, ...ids(call.payload) } };
    return answers[call.state]?.(call.payload) ?? usual;
  });
  objects.set(
    `${bucket}/polls/${EXECUTION}/batches.jsonl`,
    Buffer.from(batchIds.map((batch_id) => `${JSON.stringify({ batch_id })}\n`).join('')),
  );
  const { status } = await run(create(definition.States, definition.StartAt));
  const results = [...objects]
    .filter(([key]) => /SUCCEEDED_\d+\.jsonl$/.test(key))
    .flatMap(([, body]) => body.toString().split('\n').filter(Boolean))
    .map((line) => JSON.parse(line) as unknown);
  return { status, results, calls };
}

/** As download_batch_results answers it. */
const DOWNLOADED: InvocationAnswer = {
  payload: {
    ...SAMPLES[functionArn('download_batch_results')]?.[1],
    batch_id: 'b-1',
    execution_id: EXECUTION_ID,
  },
};

const ids = ({ batch_id }: Call['payload']): object => (batch_id === undefined ? {} : { batch_id });

const says =
  (action: string) =>
  ({ batch_id }: Call['payload']): InvocationAnswer => ({
    payload: {
      batch_id,
      batch_type: 'LINE_EMBEDDING',
      execution_name: EXECUTION,
      execution_id: EXECUTION_ID,
      action,
      batch_status: 'COMPLETED',
    },
  });

const called = (calls: readonly Call[], batchId = 'b-1'): string[] =>
  calls.filter(({ payload }) => payload['batch_id'] === batchId).map(({ state }) => state);

describe('a batch', () => {
  it('that is still running is left alone', async () => {
    const { results, calls } = await poll(['b-1'], { get_batch_status: says('wait') });
    expect(called(calls)).toStrictEqual(['get_batch_status']);
    expect(results).toStrictEqual([
      {
        status: 'running',
        batch_id: 'b-1',
        batch_type: 'LINE_EMBEDDING',
        batch_status: 'COMPLETED',
      },
    ]);
  });

  it('of a status that nobody knows yet is left alone too', async () => {
    const { calls } = await poll(['b-1'], { get_batch_status: says('think') });
    expect(called(calls)).toStrictEqual(['get_batch_status']);
  });

  it('that has ended is ingested part by part: the log, each store, the records, the end last', async () => {
    const { status, results, calls } = await poll(['b-1'], {
      get_batch_status: says('ingest'),
      mark_batch_complete: () => ({ payload: { status: 'complete', batch_id: 'b-1' } }),
    });
    expect(status).toBe('SUCCEEDED');
    expect(called(calls)).toStrictEqual([
      'get_batch_status',
      'download_batch_results',
      'log_batch_results',
      'upsert_to_s3_vectors',
      'upsert_to_pinecone',
      'upsert_to_chroma',
      'write_results_to_dynamo',
      'mark_batch_complete',
    ]);
    const parts = calls.flatMap(({ payload }) => ('part' in payload ? [payload] : []));
    const part = {
      key: 'batches/5f0a0a8e-0000-4000-8000-000000000000/results/part-00000.jsonl',
    };
    const [first] = parts;
    expect(first).toMatchObject({ batch_id: 'b-1', part });
    // What the log has of each receipt's stores, which no later step adds to.
    const { stores, vectors } = LOGGED;
    expect(parts).toStrictEqual([
      first,
      ...Array.from({ length: 4 }, () => ({ ...first, logged: { stores, vectors } })),
    ]);
    expect(results).toStrictEqual([{ status: 'complete', batch_id: 'b-1' }]);
  });

  it('without any part is completed at once', async () => {
    const { calls } = await poll(['b-1'], {
      get_batch_status: says('ingest'),
      download_batch_results: ({ batch_id }) => ({
        payload: {
          batch_id,
          batch_type: 'X',
          execution_name: EXECUTION,
          execution_id: EXECUTION_ID,
          parts: [],
        },
      }),
    });
    expect(called(calls)).toStrictEqual([
      'get_batch_status',
      'download_batch_results',
      'mark_batch_complete',
    ]);
  });

  it('without output is released', async () => {
    const { calls } = await poll(['b-1'], { get_batch_status: says('release') });
    expect(called(calls)).toStrictEqual(['get_batch_status', 'release_batch']);
  });

  it('whose results have expired is released, and the release is told why', async () => {
    const { results, calls } = await poll(['b-1'], {
      get_batch_status: says('ingest'),
      download_batch_results: () => thrown('ResultsExpired', 'the file is gone'),
      release_batch: ({ batch_id }) => ({ payload: { status: 'complete', batch_id } }),
    });
    expect(called(calls)).toStrictEqual([
      'get_batch_status',
      'download_batch_results',
      'release_batch',
    ]);
    expect(calls.find(({ state }) => state === 'release_batch')?.payload['failure']).toMatchObject({
      Error: 'ResultsExpired',
    });
    expect(results).toStrictEqual([{ status: 'complete', batch_id: 'b-1' }]);
  });
});

describe('a failure', () => {
  const failing = thrown('InvalidConfiguration', 'why');
  const own = { error: 'InvalidConfiguration', cause: JSON.stringify(failing.payload) };
  /** A Fail state may not throw what it has caught: a part's failure is in its cause. */
  const ofPart = {
    error: 'PartFailed',
    cause: JSON.stringify({ Error: own.error, Cause: own.cause }),
  };
  const failures: [string, string, typeof own][] = [
    ['get_batch_status', 'wait', own],
    ['download_batch_results', 'ingest', own],
    ['log_batch_results', 'ingest', ofPart],
    ['upsert_to_s3_vectors', 'ingest', ofPart],
    ['upsert_to_pinecone', 'ingest', ofPart],
    ['upsert_to_chroma', 'ingest', ofPart],
    ['write_results_to_dynamo', 'ingest', ofPart],
    ['mark_batch_complete', 'ingest', own],
    ['release_batch', 'release', own],
  ];

  it.each(failures)(
    'of %s is recorded and listed by its name, and stops no other batch',
    async (state, action, failure) => {
      const answers: Answers = { get_batch_status: says(action) };
      const { status, results, calls } = await poll(['b-1', 'b-2'], {
        ...answers,
        [state]: (payload) => (payload['batch_id'] === 'b-1' ? failing : answers[state]?.(payload)),
        record_batch_failure: ({ batch_id, error, cause }) => ({
          payload: { status: 'error', batch_id, error, cause },
        }),
      });

      const recorded = calls.filter((call) => call.state === 'record_batch_failure');
      expect(recorded.map(({ payload }) => payload)).toStrictEqual([
        {
          batch_id: 'b-1',
          execution_name: EXECUTION,
          execution_id: expect.any(String) as string,
          ...failure,
        },
      ]);
      expect(called(calls).at(-2)).toBe(state);
      expect(results).toHaveLength(2);
      expect(results).toContainEqual({ status: 'error', batch_id: 'b-1', ...failure });
      expect(results).not.toContainEqual(
        expect.objectContaining({ status: 'error', batch_id: 'b-2' }),
      );
      expect(status).toBe('SUCCEEDED');
    },
  );

  it('that can not even be recorded is listed by its own name, not by that of the recording', async () => {
    const { results } = await poll(['b-1'], {
      get_batch_status: () => failing,
      record_batch_failure: () => thrown('ConcurrentUpdate'),
    });
    expect(results).toStrictEqual([{ status: 'error', batch_id: 'b-1', ...own }]);
  });

  it('after which the batch has ended all the same is none: only the answer was lost', async () => {
    const outcome = {
      status: 'complete',
      batch_id: 'b-1',
      batch_type: 'WORD_EMBEDDING',
      batch_status: 'COMPLETED',
      requested: 6,
      succeeded: 4,
      failed: 1,
      released: 1,
      prompt_tokens: 50,
      reason: null,
    };
    const { results } = await poll(['b-1'], {
      get_batch_status: says('ingest'),
      mark_batch_complete: () => failing,
      record_batch_failure: () => ({ payload: outcome }),
    });
    expect(results).toStrictEqual([outcome]);
  });

  it.each(['Sandbox.Timedout', 'States.Timeout'])(
    'by %s is tried again, since every step may be repeated',
    async (error) => {
      let tries = 0;
      const { results } = await poll(['b-1'], {
        get_batch_status: says('ingest'),
        download_batch_results: () => (++tries < 3 ? thrown(error) : DOWNLOADED),
      });
      expect(tries).toBe(3);
      expect(results).toMatchObject([{ status: 'complete' }]);
    },
  );

  it('that waiting cures is tried again, a part for itself', async () => {
    let tries = 0;
    const { results, calls } = await poll(['b-1'], {
      get_batch_status: says('ingest'),
      upsert_to_pinecone: () => {
        tries++;
        return tries < 3 ? thrown('RateLimited') : { payload: { vectors: 1 } };
      },
    });
    expect(called(calls)).toStrictEqual([
      'get_batch_status',
      'download_batch_results',
      'log_batch_results',
      'upsert_to_s3_vectors',
      'upsert_to_pinecone',
      'upsert_to_pinecone',
      'upsert_to_pinecone',
      'upsert_to_chroma',
      'write_results_to_dynamo',
      'mark_batch_complete',
    ]);
    expect(results).toMatchObject([{ status: 'complete' }]);
  });
});

describe('the states of a part', () => {
  const states = (stores: readonly StoreName[]): string[] => {
    const map = defined('batch_poll', { stores }).States['ProcessBatches'];
    if (map?.Type !== 'Map') throw new TypeError('expected a Map');
    const parts = map.ItemProcessor.States['IngestParts'];
    if (parts?.Type !== 'Map') throw new TypeError('expected a Map');
    const { StartAt, States } = parts.ItemProcessor;
    const way: string[] = [];
    for (let name: string | undefined = StartAt; name !== undefined;) {
      way.push(name);
      const state: State | undefined = States[name];
      name = state !== undefined && 'Next' in state ? state.Next : undefined;
    }
    return way;
  };

  it.each<[StoreName[], string[]]>([
    [['s3_vectors'], ['UpsertToS3Vectors']],
    [
      ['chroma', 'pinecone'],
      ['UpsertToChroma', 'UpsertToPinecone'],
    ],
  ])('are one for each store of the stack, in its order: %j', (stores, upserts) => {
    expect(states(stores)).toStrictEqual(['LogResults', ...upserts, 'WriteResultsToDynamo']);
  });
});
