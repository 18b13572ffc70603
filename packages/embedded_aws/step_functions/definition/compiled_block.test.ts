import { describe, expect, it } from 'vitest';
import { functionArn } from '../testing/stand_in_fixture.ts';
import { compileBlock } from './compiled_block.ts';
import type { TaskState } from './definition.ts';

const engineStateOf = (state: Partial<TaskState>): unknown => {
  const block = compileBlock(
    {
      StartAt: 'S',
      TimeoutSeconds: 99_999_999,
      States: { S: { Type: 'Task', Resource: functionArn, End: true, ...state } },
    },
    (milliseconds) => milliseconds / 10,
  );
  const { machine } = block as unknown as {
    machine: { definition: { TimeoutSeconds: number; States: Record<string, unknown> } };
  };
  return [machine.definition.TimeoutSeconds, machine.definition.States['S']];
};

describe('what the engine runs', () => {
  it('has no timeout but the longest a timer can have where AWS has none', () => {
    expect(engineStateOf({})).toStrictEqual([
      2_147_483,
      { Type: 'Task', Resource: 'local', TimeoutSeconds: 2_147_483, End: true },
    ]);
  });

  it('keeps a timeout that a timer can have', () => {
    expect(engineStateOf({ TimeoutSeconds: 900 })).toMatchObject([
      2_147_483,
      { TimeoutSeconds: 900 },
    ]);
  });

  it('waits between attempts as retryDelay says: the interval, its default and its cap', () => {
    const retry = [
      { ErrorEquals: ['A'], IntervalSeconds: 2, BackoffRate: 1.5, MaxDelaySeconds: 30 },
      { ErrorEquals: ['B'], MaxAttempts: 5, JitterStrategy: 'FULL' as const },
    ];
    expect(engineStateOf({ Retry: retry })).toMatchObject([
      2_147_483,
      {
        Retry: [
          { ErrorEquals: ['A'], IntervalSeconds: 0.2, BackoffRate: 1.5, MaxDelaySeconds: 3 },
          { ErrorEquals: ['B'], IntervalSeconds: 0.1, MaxAttempts: 5, JitterStrategy: 'FULL' },
        ],
      },
    ]);
  });
});
