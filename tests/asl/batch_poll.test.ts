import type { InvocationAnswer } from 'embedded-aws/step_functions/ports';
import { startFixture, thrown } from 'embedded-aws/step_functions/testing/stand_in_fixture';
import { describe, expect, it } from 'vitest';
import type { State, StateMachineDefinition } from '../../components/state_machines/asl.ts';
import { batchPollStateMachine } from '../../components/state_machines/batch_poll.ts';
import { allStates, ruleViolations } from './asl_rules.ts';
import { FLOW_SAMPLES } from './flow_samples.ts';
import { PLAIN_POLL_SETTINGS } from './plain_settings.ts';

// Not proved here: what the functions themselves do.

const definition = batchPollStateMachine(PLAIN_POLL_SETTINGS);
const { functions } = PLAIN_POLL_SETTINGS;
type FunctionKey = keyof typeof functions;

interface Call {
  readonly state: FunctionKey;
  readonly payload: Record<string, unknown>;
}

/** The answers of a batch's functions; the others answer as flow_samples.ts says. */
type Answers = Partial<Record<FunctionKey, (payload: Call['payload']) => InvocationAnswer>>;

const EXECUTION = 'nightly-7';

/** Runs the workflow over these batches, and gives each one's result and every call of a function. */
async function poll(
  batchIds: readonly string[],
  answers: Answers,
): Promise<{ status: string; results: unknown[]; calls: Call[] }> {
  const calls: Call[] = [];
  const { create, run, objects } = await startFixture((payload, arn) => {
    const [state] = Object.entries(functions).find(([, each]) => each === arn) ?? [];
    if (state === undefined) throw new Error(`there is no function ${arn}`);
    const call = { state: state as FunctionKey, payload: payload as Call['payload'] };
    calls.push(call);
    const sample = FLOW_SAMPLES['batch_poll']?.answers[arn]?.at(-1);
    const usual = { payload: { ...sample, ...ids(call.payload) } };
    return answers[call.state]?.(call.payload) ?? usual;
  });
  objects.set(
    `${PLAIN_POLL_SETTINGS.bucket}/polls/${EXECUTION}/batches.jsonl`,
    Buffer.from(batchIds.map((batch_id) => `${JSON.stringify({ batch_id })}\n`).join('')),
  );
  const { status } = await run(create(definition.States, definition.StartAt));
  const results = [...objects]
    .filter(([key]) => /SUCCEEDED_\d+\.jsonl$/.test(key))
    .flatMap(([, body]) => body.toString().split('\n').filter(Boolean))
    .map((line) => JSON.parse(line) as unknown);
  return { status, results, calls };
}

const ids = ({ batch_id }: Call['payload']): object => (batch_id === undefined ? {} : { batch_id });

const says =
  (action: string) =>
  ({ batch_id }: Call['payload']): InvocationAnswer => ({
    payload: {
      batch_id,
      batch_type: 'LINE_EMBEDDING',
      execution_name: EXECUTION,
      action,
      batch_status: 'COMPLETED',
    },
  });

const called = (calls: readonly Call[], batchId = 'b-1'): FunctionKey[] =>
  calls.filter(({ payload }) => payload['batch_id'] === batchId).map(({ state }) => state);

describe('a batch', () => {
  it('that is still running is left alone', async () => {
    const { results, calls } = await poll(['b-1'], { getBatchStatus: says('wait') });
    expect(called(calls)).toStrictEqual(['getBatchStatus']);
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
    const { calls } = await poll(['b-1'], { getBatchStatus: says('think') });
    expect(called(calls)).toStrictEqual(['getBatchStatus']);
  });

  it('that has ended is ingested part by part: vectors first, records after, the end last', async () => {
    const { status, results, calls } = await poll(['b-1'], {
      getBatchStatus: says('ingest'),
      markBatchComplete: () => ({ payload: { status: 'complete', batch_id: 'b-1' } }),
    });
    expect(status).toBe('SUCCEEDED');
    expect(called(calls)).toStrictEqual([
      'getBatchStatus',
      'downloadResults',
      'upsertToPinecone',
      'writeResultsToDynamo',
      'markBatchComplete',
    ]);
    const parts = calls.flatMap(({ payload: { part, upserted } }) =>
      part === undefined ? [] : [{ part, upserted }],
    );
    const part = {
      key: 'batches/5f0a0a8e-0000-4000-8000-000000000000/results/part-00000.jsonl',
    };
    expect(parts).toStrictEqual([
      { part, upserted: undefined },
      { part, upserted: { vectors: 8 } },
    ]);
    expect(results).toStrictEqual([{ status: 'complete', batch_id: 'b-1' }]);
  });

  it('without any part is completed at once', async () => {
    const { calls } = await poll(['b-1'], {
      getBatchStatus: says('ingest'),
      downloadResults: ({ batch_id }) => ({
        payload: { batch_id, batch_type: 'X', execution_name: EXECUTION, parts: [] },
      }),
    });
    expect(called(calls)).toStrictEqual(['getBatchStatus', 'downloadResults', 'markBatchComplete']);
  });

  it('without output is released', async () => {
    const { calls } = await poll(['b-1'], { getBatchStatus: says('release') });
    expect(called(calls)).toStrictEqual(['getBatchStatus', 'releaseBatch']);
  });

  it('whose results have expired is released, and the release is told why', async () => {
    const { results, calls } = await poll(['b-1'], {
      getBatchStatus: says('ingest'),
      downloadResults: () => thrown('ResultsExpired', 'the file is gone'),
      releaseBatch: ({ batch_id }) => ({ payload: { status: 'complete', batch_id } }),
    });
    expect(called(calls)).toStrictEqual(['getBatchStatus', 'downloadResults', 'releaseBatch']);
    expect(calls.find(({ state }) => state === 'releaseBatch')?.payload['failure']).toMatchObject({
      Error: 'ResultsExpired',
    });
    expect(results).toStrictEqual([{ status: 'complete', batch_id: 'b-1' }]);
  });
});

describe('a failure', () => {
  const failing = thrown('InvalidConfiguration', 'why');
  const failures: [FunctionKey, Answers][] = [
    ['getBatchStatus', {}],
    ['downloadResults', { getBatchStatus: says('ingest') }],
    ['upsertToPinecone', { getBatchStatus: says('ingest') }],
    ['writeResultsToDynamo', { getBatchStatus: says('ingest') }],
    ['markBatchComplete', { getBatchStatus: says('ingest') }],
    ['releaseBatch', { getBatchStatus: says('release') }],
  ];

  it.each(failures)(
    'of %s is recorded and listed by its name, and stops no other batch',
    async (state, answers) => {
      const { status, results, calls } = await poll(['b-1', 'b-2'], {
        ...answers,
        [state]: (payload: Call['payload']) =>
          payload['batch_id'] === 'b-1' ? failing : answers[state]?.(payload),
      });

      const recorded = calls.filter((call) => call.state === 'recordBatchFailure');
      expect(recorded.map(({ payload }) => payload)).toStrictEqual([
        {
          batch_id: 'b-1',
          execution_name: EXECUTION,
          error: 'InvalidConfiguration',
          cause: JSON.stringify(failing.payload),
        },
      ]);
      expect(called(calls).at(-2)).toBe(state);
      expect(results).toHaveLength(2);
      expect(results).toContainEqual({
        status: 'error',
        batch_id: 'b-1',
        error: 'InvalidConfiguration',
        cause: JSON.stringify(failing.payload),
      });
      expect(results).not.toContainEqual(
        expect.objectContaining({ status: 'error', batch_id: 'b-2' }),
      );
      expect(status).toBe('SUCCEEDED');
    },
  );

  it('that can not even be recorded is listed by its own name, not by that of the recording', async () => {
    const { results } = await poll(['b-1'], {
      getBatchStatus: () => failing,
      recordBatchFailure: () => thrown('ConcurrentUpdate'),
    });
    expect(results).toStrictEqual([
      {
        status: 'error',
        batch_id: 'b-1',
        error: 'InvalidConfiguration',
        cause: JSON.stringify(failing.payload),
      },
    ]);
  });

  it('that waiting mends is tried again, a part for itself', async () => {
    let tries = 0;
    const { results, calls } = await poll(['b-1'], {
      getBatchStatus: says('ingest'),
      upsertToPinecone: () => {
        tries++;
        return tries < 3 ? thrown('RateLimited') : { payload: { vectors: 1 } };
      },
    });
    expect(called(calls)).toStrictEqual([
      'getBatchStatus',
      'downloadResults',
      'upsertToPinecone',
      'upsertToPinecone',
      'upsertToPinecone',
      'writeResultsToDynamo',
      'markBatchComplete',
    ]);
    expect(results).toMatchObject([{ status: 'complete' }]);
  });
});

describe('the rules of this house', () => {
  it('hold for an inline Map: 40 at once, no results kept, every failure caught', () => {
    const changed = (change: object): StateMachineDefinition => {
      const [, inner] = allStates(definition).find(([name]) => name === 'IngestParts') ?? [];
      const broken = { IngestParts: { ...inner, ...change, End: true } as unknown as State };
      return {
        Comment: '',
        TimeoutSeconds: 1,
        StartAt: 'IngestParts',
        States: { ...broken, RecordBatchFailure: END },
      };
    };
    expect(ruleViolations(changed({ Next: 'RecordBatchFailure' }))).toStrictEqual([]);
    expect(
      ruleViolations(changed({ Next: 'RecordBatchFailure', MaxConcurrency: 41 })),
    ).toStrictEqual(['IngestParts runs more at once than an inline Map may']);
    expect(
      ruleViolations(changed({ Next: 'RecordBatchFailure', MaxConcurrency: 0 })),
    ).toStrictEqual(['IngestParts runs more at once than an inline Map may']);
    expect(
      ruleViolations(changed({ Next: 'RecordBatchFailure', ResultPath: '$.x' })),
    ).toStrictEqual(['IngestParts keeps results, which have no bound together']);
    expect(ruleViolations(changed({ Next: 'RecordBatchFailure', Catch: [] }))).toStrictEqual([
      'IngestParts does not catch everything',
    ]);
  });
});

const END: State = { Type: 'Succeed' };
