import { ExecutionDoesNotExist, type HistoryEvent } from '@aws-sdk/client-sfn';
import { scriptedSfn } from 'receipts-cli/executions/testing/scripted_sfn';
import { describe, expect, it } from 'vitest';
import { readStates, statesOf } from './states.ts';

const at = (second: number): Date => new Date(Date.UTC(2025, 2, 1, 10, 0, second));
const event = (second: number, more: Partial<HistoryEvent>): HistoryEvent => ({
  id: second,
  timestamp: at(second),
  type: undefined,
  ...more,
});

const EVENTS = [
  event(0, { type: 'ExecutionStarted' }),
  event(1, { type: 'TaskStateEntered', stateEnteredEventDetails: { name: 'Embed' } }),
  event(1, {
    type: 'TaskScheduled',
    taskScheduledEventDetails: {
      resourceType: 'lambda',
      resource: 'invoke',
      region: 'us-east-1',
      parameters: '{"FunctionName":"arn:aws:lambda:us-east-1:1:function:embed"}',
    },
  }),
  event(2, {
    type: 'TaskFailed',
    taskFailedEventDetails: {
      resourceType: 'lambda',
      resource: 'invoke',
      error: 'RateLimited',
      cause: '{"errorType":"RateLimited","errorMessage":"slow down"}',
    },
  }),
  event(4, { type: 'TaskStateExited', stateExitedEventDetails: { name: 'Embed' } }),
  event(4, { type: 'PassStateEntered', stateEnteredEventDetails: { name: 'Failed' } }),
];

describe('the states of an execution', () => {
  it('come in order, with times, the function and what failed in them', () => {
    expect(statesOf(EVENTS)).toStrictEqual([
      {
        name: 'Embed',
        type: 'Task',
        entered_at: at(1).toISOString(),
        exited_at: at(4).toISOString(),
        seconds: 3,
        failures: 1,
        function_arn: 'arn:aws:lambda:us-east-1:1:function:embed',
        error: 'RateLimited',
        cause: 'slow down',
      },
      {
        name: 'Failed',
        type: 'Pass',
        entered_at: at(4).toISOString(),
        exited_at: null,
        seconds: null,
        failures: 0,
      },
    ]);
  });

  it('are read page by page, and are not known where no history is kept', async () => {
    const { signal } = new AbortController();
    const pages = scriptedSfn({
      GetExecutionHistory: ({ nextToken }) =>
        nextToken === undefined
          ? { events: EVENTS.slice(0, 3), nextToken: 'second' }
          : { events: EVENTS.slice(3) },
    });
    expect(await readStates(pages.sfn, 'arn', signal)).toHaveLength(2);
    const gone = scriptedSfn({
      GetExecutionHistory: () => {
        throw new ExecutionDoesNotExist({ $metadata: {}, message: 'gone' });
      },
    });
    expect(await readStates(gone.sfn, 'arn', signal)).toBeNull();
  });
});
