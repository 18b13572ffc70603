// Not proved here: that AWS takes the definition, and what it does when it runs (tests/end_to_end does, on the embedded AWS).
import { format } from 'prettier';
import { describe, expect, it } from 'vitest';
import type { State, StateMachineDefinition } from '../../components/state_machines/asl.ts';
import { realtimeStateMachine } from '../../components/state_machines/realtime.ts';
import {
  InvalidDefinition,
  validatedDefinition,
} from '../../local/step_functions/definition/asl_validation.ts';
import { runProgram, resource } from '../infra/recorded_program.ts';
import { allStates, ruleViolations } from './asl_rules.ts';
import { PLAIN_SETTINGS } from './plain_settings.ts';

const definition = realtimeStateMachine(PLAIN_SETTINGS);

/** What CreateStateMachine would answer. A copy is checked: the validator writes into what it is given. */
function problemsOf(checked: StateMachineDefinition): string | undefined {
  try {
    validatedDefinition(structuredClone(checked));
    return undefined;
  } catch (error) {
    if (error instanceof InvalidDefinition) return error.message;
    throw error;
  }
}

describe('the realtime workflow', () => {
  it('is valid in the States Language, and all of it runs on the embedded AWS', () => {
    expect(problemsOf(definition)).toBeUndefined();
  });

  it('would not be, with a path that is none or a state of another kind', () => {
    const { FindReceipts } = definition.States;
    const wrong = { ...FindReceipts, OutputPath: 'Payload' } as State;
    expect(
      problemsOf({ ...definition, States: { ...definition.States, FindReceipts: wrong } }),
    ).toContain('Invalid State Machine Definition');
  });

  it('keeps the rules of this house', () => {
    expect(ruleViolations(definition)).toStrictEqual([]);
  });

  it('is this one, whoever changes it', async () => {
    const text = await format(JSON.stringify(definition), { parser: 'json', printWidth: 100 });
    await expect(text).toMatchFileSnapshot('./realtime.asl.json');
  });

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

  it.each([{ maxConcurrency: 1_000 }, { childExecutionType: 'EXPRESS' as const }])(
    'stays valid with %o',
    (settings) => {
      const other = realtimeStateMachine({ ...PLAIN_SETTINGS, ...settings });
      expect(problemsOf(other)).toBeUndefined();
      expect(ruleViolations(other)).toStrictEqual([]);
    },
  );

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

  it('is what the stack deploys', async () => {
    const deployed = await runProgram({ config: { chromadb_bucket_name: 'vectors' } });
    const machine = resource(
      deployed,
      'aws:sfn/stateMachine:StateMachine',
      'realtime-embedding-state-machine',
    );
    expect(JSON.parse(machine['definition'] as string)).toStrictEqual(definition);
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
        'ProcessReceipts is not distributed',
        'ProcessReceipts: there is no state Gone',
        'ProcessReceipts: nothing leads to Lost',
      ],
    ],
  ])('are broken by %s with %o', (name, change, violations) => {
    expect(ruleViolations(broken(name, change))).toStrictEqual(violations);
  });
});
