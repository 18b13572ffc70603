import type { JsonValue } from 'embedded-aws/step_functions/data/json_value';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { State } from '../../components/state_machines/asl.ts';
import {
  pollSummarySchema,
  realtimeSummarySchema,
  submitSummarySchema,
} from '../../simple_lambdas/summarize_execution/summary_schemas.ts';
import { dataFlow, type Flow } from './data_flow.ts';
import { functionArn, WORKFLOWS } from './workflows.ts';

// Not proved here: that the functions answer with these fields, and take these payloads (their own tests do).

/** Everything that may come about in a workflow, with another state in the place of one of its own. */
function flowOf(workflow: string, changed: Readonly<Record<string, State>> = {}): Flow {
  const found = WORKFLOWS.find(({ name }) => name === workflow);
  if (found === undefined) throw new Error(`no ${workflow}`);
  const { definition, item, answers } = found;
  const States = { ...definition.States, ...changed };
  return dataFlow({ definition: { ...definition, States }, input: {}, item, answers });
}

/** The fields of each state's data; several where they differ. */
function fieldsOf(data: Flow['payloads']): Record<string, string[]> {
  const fields = (value: JsonValue): string => Object.keys(value as object).join(' ');
  return Object.fromEntries(
    Object.entries(data).map(([name, values]) => [name, [...new Set(values.map(fields))]]),
  );
}

const BATCH = 'batch_id batch_type';
const STATUS =
  'action execution_name execution_id batch_status reason output_file_id error_file_id input_file_id';
const DOWNLOADED = 'execution_name execution_id batch_status reason results parts';

/** How an execution ends that finds another of its kind running. (The walk takes every branch with every answer.) */
const ALREADY_RUNNING = [
  { status: 'go_on', running_execution: null },
  { status: 'already_running', running_execution: 'arn:execution:1' },
];

describe('what each function is given', () => {
  it('by batch_submit', () => {
    expect(fieldsOf(flowOf('batch_submit').payloads)).toStrictEqual({
      TakeLock: ['input execution_id'],
      PlanBatches: ['input execution_name execution_id'],
      SubmitBatch: [`${BATCH} execution_name execution_id`],
      SummarizeSubmit: [
        'workflow total_batches planned receipts more invalid_rows results execution_name',
      ],
    });
  });

  const PART = `${BATCH} execution_name execution_id part`;

  it('by batch_poll', () => {
    expect(fieldsOf(flowOf('batch_poll').payloads)).toStrictEqual({
      TakeLock: ['input execution_id'],
      ListPendingBatches: ['input execution_name execution_id'],
      GetBatchStatus: ['batch_id execution_name execution_id'],
      DownloadResults: [`${BATCH} ${STATUS}`],
      // A second kind of release: of a batch whose results are gone, with the error that said so.
      ReleaseBatch: [`${BATCH} ${STATUS} failure`, `${BATCH} ${STATUS}`],
      LogResults: [PART],
      UpsertToS3Vectors: [`${PART} logged`],
      UpsertToPinecone: [`${PART} logged`],
      UpsertToChroma: [`${PART} logged`],
      WriteResultsToDynamo: [`${PART} logged`],
      MarkBatchComplete: [`${BATCH} ${DOWNLOADED}`],
      RecordBatchFailure: ['batch_id execution_name execution_id error cause'],
      SummarizePoll: ['workflow total_batches more invalid_rows results execution_name'],
    });
  });
});

describe('what comes out', () => {
  const failed = {
    status: 'error',
    batch_id: 'b-1',
    error: 'RateLimited',
    cause: '{"errorMessage":"slow down"}',
  };

  it('of batch_submit is a summary, also of nothing, and of a batch what became of it', () => {
    expect(flowOf('batch_submit').outputs).toStrictEqual({
      AlreadyRunning: ALREADY_RUNNING,
      NoBatches: [expect.objectContaining({ total: 0 })],
      RunSucceeded: [{ total: 3, not_tried: 0, failed_percentage: 0 }],
      SubmitBatch: [{ status: 'submitted', batch_id: 'b-1', batch_type: 'LINE_EMBEDDING' }],
      SubmitBatchFailed: [failed],
    });
  });

  it('of batch_poll is a summary, also of nothing, and of a batch what became of it', () => {
    const ended = WORKFLOWS.find(({ name }) => name === 'batch_poll')?.answers[
      functionArn('mark_batch_complete')
    ];
    expect(flowOf('batch_poll').outputs).toStrictEqual({
      AlreadyRunning: ALREADY_RUNNING,
      NoBatches: [expect.objectContaining({ total: 0 })],
      RunSucceeded: [{ total: 3, not_tried: 0, failed_percentage: 0 }],
      BatchStillRunning: [
        {
          status: 'running',
          batch_id: 'b-1',
          batch_type: 'LINE_EMBEDDING',
          batch_status: 'COMPLETED',
        },
      ],
      // Whatever failed, and whether or not it could be recorded.
      BatchFailed: [failed],
      RecordBatchFailure: [
        ...(ended ?? []),
        {
          status: 'error',
          batch_id: 'b-1',
          error: 'RateLimited',
          cause: 'slow',
          attempts: 1,
          parked: false,
        },
      ],
      MarkBatchComplete: ended,
      ReleaseBatch: ended,
      WriteResultsToDynamo: [{ written: 9 }],
    });
  });
});

describe.each([
  ['realtime', 'NoReceipts', realtimeSummarySchema],
  ['batch_submit', 'NoBatches', submitSummarySchema],
  ['batch_poll', 'NoBatches', pollSummarySchema],
] as const)('%s with nothing to do', (workflow, state, schema) => {
  it('ends with a summary, like any other execution', () => {
    const outputs = flowOf(workflow).outputs[state] ?? [];
    expect(outputs).not.toHaveLength(0);
    for (const output of outputs) {
      expect(z.strictObject(schema.shape).parse(output)).toMatchObject({ total: 0, failed: 0 });
    }
  });
});

describe.each(WORKFLOWS)('the data of $name', ({ name }) => {
  it('has every path that a state reads, whichever way it came there', () => {
    expect(() => flowOf(name)).not.toThrow();
  });

  it('stays far below the 256 KiB that may go between two states, also for the largest batch', () => {
    expect(flowOf(name).longest).toBeLessThan(16 * 1_024);
  });

  it('holds no list in what a function is given, but the parts and what the user has sent', () => {
    const lists = Object.entries(flowOf(name).payloads).flatMap(([state, payloads]) =>
      payloads.flatMap((payload) => listsIn(payload)).map((path) => `${state} ${path}`),
    );
    // The stores of a stack are few.
    expect([...new Set(lists)].filter((path) => !path.endsWith(' .logged.stores'))).toStrictEqual(
      name === 'batch_poll' ? ['MarkBatchComplete .parts'] : [],
    );
  });
});

describe('a path that leads nowhere', () => {
  it('is found by the walk, on whichever way it lies', () => {
    const pass: State = { Type: 'Pass', Parameters: { 'x.$': '$.nothing' }, End: true };
    expect(() => flowOf('batch_submit', { NoBatches: pass })).toThrow(
      /^The JSONPath '\$\.nothing' specified for the field 'x\.\$' could not be found/,
    );
    const fail: State = { Type: 'Fail', Error: 'Gone', CausePath: '$.gone' };
    expect(() => flowOf('batch_poll', { RunFailed: fail })).toThrow(/^The JSONPath '\$\.gone'/);
  });
});

/** Where lists are. */
function listsIn(value: JsonValue, path = ''): string[] {
  if (value === null || typeof value !== 'object') return [];
  if (Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) => listsIn(inner, `${path}.${key}`));
}
