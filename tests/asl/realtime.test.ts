import { describe, expect, it } from 'vitest';
import type { State, StateMachineDefinition } from '../../components/state_machines/asl.ts';
import { realtimeStateMachine } from '../../components/state_machines/realtime.ts';
import { allStates, ruleViolations } from './asl_rules.ts';
import { PLAIN_SETTINGS } from './plain_settings.ts';

// Not proved here: what tests/asl/workflows.test.ts proves of every workflow.

const definition = realtimeStateMachine(PLAIN_SETTINGS);

describe('the realtime workflow', () => {
  it('has these states', () => {
    expect(allStates(definition).map(([name, { Type }]) => `${Type} ${name}`)).toStrictEqual([
      'Task FindReceipts',
      'Choice CheckReceipts',
      'Pass NoReceipts',
      'Map ProcessReceipts',
      'Task ProcessReceipt',
      'Pass ProcessReceiptFailed',
      'Task SummarizeRun',
      'Choice CheckFailures',
      'Succeed RunSucceeded',
      'Fail TooManyFailed',
      'Fail RunFailed',
    ]);
  });

  it('takes its settings where they belong', () => {
    const { ProcessReceipts, CheckFailures } = realtimeStateMachine({
      ...PLAIN_SETTINGS,
      maxConcurrency: 7,
      childExecutionType: 'EXPRESS',
      toleratedFailurePercentage: 3,
    }).States;
    expect(ProcessReceipts).toMatchObject({
      MaxConcurrency: 7,
      ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'EXPRESS' } },
    });
    expect(CheckFailures).toMatchObject({
      Choices: [{ NumericGreaterThan: 3, Next: 'TooManyFailed' }],
    });
  });
});

describe('the rules of this house', () => {
  /** The workflow with something else about one state. */
  function broken(name: string, change: object): StateMachineDefinition {
    const state = definition.States[name];
    return {
      ...definition,
      States: { ...definition.States, [name]: { ...state, ...change } as State },
    };
  }

  const upstream = {
    ErrorEquals: ['RateLimited'],
    IntervalSeconds: 5,
    MaxAttempts: 5,
    BackoffRate: 2,
    MaxDelaySeconds: 120,
    JitterStrategy: 'FULL',
  };
  const all = { ErrorEquals: ['States.ALL'], Next: 'RunFailed', ResultPath: '$.failure' };
  const timeout = { ...all, ErrorEquals: ['States.Timeout'] };

  it.each<[string, object, string[]]>([
    ['FindReceipts', { Retry: [] }, ['FindReceipts retries nothing']],
    [
      'FindReceipts',
      { Retry: [{ ...upstream, ErrorEquals: ['InvalidRequest'] }] },
      ['FindReceipts retries what waiting does not mend'],
    ],
    [
      'FindReceipts',
      { Retry: [{ ...upstream, ErrorEquals: ['States.ALL'] }] },
      ['FindReceipts retries what waiting does not mend'],
    ],
    [
      'FindReceipts',
      { Retry: [upstream, upstream] },
      ['FindReceipts retries one error in two places'],
    ],
    [
      'FindReceipts',
      { Retry: [{ ...upstream, JitterStrategy: 'NONE' }] },
      ['FindReceipts waits without jitter or without an end'],
    ],
    ['SummarizeRun', { Catch: [] }, ['SummarizeRun does not catch everything']],
    ['SummarizeRun', { Catch: [all, timeout] }, ['SummarizeRun does not catch everything']],
    [
      'SummarizeRun',
      { Catch: [{ ...all, ErrorEquals: ['States.Timeout', 'States.ALL'] }] },
      ['SummarizeRun does not catch everything'],
    ],
    ['SummarizeRun', { TimeoutSeconds: 900 }, ['SummarizeRun gives up before its function does']],
    [
      'SummarizeRun',
      { TimeoutSeconds: undefined },
      ['SummarizeRun gives up before its function does'],
    ],
    [
      'CheckFailures',
      { Default: 'Nowhere' },
      ['the workflow: there is no state Nowhere', 'the workflow: nothing leads to RunSucceeded'],
    ],
    ['CheckReceipts', { Choices: [] }, ['the workflow: nothing leads to NoReceipts']],
    [
      'ProcessReceipts',
      { ToleratedFailurePercentage: 10 },
      ['ProcessReceipts does not tolerate every failure'],
    ],
    [
      'ProcessReceipts',
      { MaxConcurrency: 0 },
      ['ProcessReceipts has no limit to what runs at once'],
    ],
    ['ProcessReceipts', { Label: '' }, ['ProcessReceipts has no label of 1 to 40 characters']],
    ['ProcessReceipts', { Catch: [timeout] }, ['ProcessReceipts does not catch everything']],
    [
      'ProcessReceipts',
      {
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'Gone',
          States: { Lost: { Type: 'Succeed' } },
        },
      },
      [
        'ProcessReceipts keeps results, which have no bound together',
        'ProcessReceipts: there is no state Gone',
        'ProcessReceipts: nothing leads to Lost',
      ],
    ],
  ])('are broken by %s with %o', (name, change, violations) => {
    expect(ruleViolations(broken(name, change))).toStrictEqual(violations);
  });
});
