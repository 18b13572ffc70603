import {
  compileDefinition,
  InvalidDefinition,
} from 'embedded-aws/step_functions/definition/compile_definition';
import { beforeAll, describe, expect, it } from 'vitest';
import type { State, StateMachineDefinition } from '../../components/state_machines/asl.ts';
import {
  type RecordedDeployment,
  resource,
  runProgram,
  WITH_PINECONE,
} from '../infra/recorded_program.ts';
import { allStates, ruleViolations } from './asl_rules.ts';
import { defined, WORKFLOWS } from './workflows.ts';

// Not proved here: that AWS takes the definitions, and what they do when they run (tests/end_to_end does, on the embedded AWS).

/** What CreateStateMachine would answer. */
function problemsOf(checked: StateMachineDefinition): string | undefined {
  try {
    compileDefinition(checked);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidDefinition) return error.message;
    throw error;
  }
}

let deployed: RecordedDeployment;

beforeAll(async () => {
  deployed = await runProgram({
    ...WITH_PINECONE,
    config: {
      ...WITH_PINECONE.config,
      vector_stores: 's3_vectors,pinecone,chroma',
      chroma_http_endpoint: 'https://chroma.example',
      chromadb_bucket_name: 'vectors',
      batch_bucket_name: 'batch-files',
    },
  });
});

describe.each(WORKFLOWS)('the workflow $name', ({ resource: stem, definition, limits }) => {
  it('is valid in the States Language, and all of it runs on the embedded AWS', () => {
    expect(problemsOf(definition)).toBeUndefined();
  });

  it('would not be, with a path that is none or a state of another kind', () => {
    const { StartAt, States } = definition;
    const wrong = { ...States[StartAt], OutputPath: 'Payload' } as State;
    expect(problemsOf({ ...definition, States: { ...States, [StartAt]: wrong } })).toContain(
      'Invalid State Machine Definition',
    );
  });

  it('keeps the rules of this project', () => {
    expect(ruleViolations(definition)).toStrictEqual([]);
  });

  it('stays so with the least and the most at a time', () => {
    expect(limits).toHaveLength(2);
    expect(limits.map(problemsOf)).toStrictEqual([undefined, undefined]);
    expect(limits.flatMap(ruleViolations)).toStrictEqual([]);
  });

  it('is what the stack deploys', () => {
    const type = 'aws:sfn/stateMachine:StateMachine';
    const machine = resource(deployed, type, `${stem}-state-machine`);
    expect(JSON.parse(machine['definition'] as string)).toStrictEqual(definition);
  });
});

describe('the settings of a workflow', () => {
  it('are taken where they belong', () => {
    const { ProcessReceipts, CheckFailures } = defined('realtime', {
      maxConcurrency: 7,
      childExecutionType: 'EXPRESS',
      toleratedFailurePercentage: 3,
    }).States;
    expect(ProcessReceipts).toMatchObject({
      MaxConcurrency: 7,
      ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'EXPRESS' } },
    });
    expect(CheckFailures).toMatchObject({
      Choices: [
        { Variable: '$.not_tried', NumericGreaterThan: 0, Next: 'StoppedEarly' },
        { NumericGreaterThan: 3, Next: 'TooManyFailed' },
      ],
    });
  });
});

describe('the rules of this project', () => {
  /** A workflow with something else about one state of its outermost block. */
  function broken(
    { States, ...definition }: StateMachineDefinition,
    name: string,
    change: object,
  ): StateMachineDefinition {
    return {
      ...definition,
      States: { ...States, [name]: { ...States[name], ...change } as State },
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
      { Retry: [{ ...upstream, ErrorEquals: ['States.ALL'] }] },
      ['FindReceipts retries what waiting does not cure'],
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
    ['SummarizeRun', { Catch: [all, timeout] }, ['SummarizeRun does not catch everything']],
    ['SummarizeRun', { TimeoutSeconds: 900 }, ['SummarizeRun gives up before its function does']],
    [
      'CheckFailures',
      { Default: 'Nowhere' },
      ['the workflow: there is no state Nowhere', 'the workflow: nothing leads to RunSucceeded'],
    ],
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
    [
      'ProcessReceipts',
      { Catch: [timeout] },
      ['the workflow: nothing leads to FindResults', 'ProcessReceipts does not catch everything'],
    ],
    [
      'RunFailed',
      { ErrorPath: '$.failure.Error' },
      ['RunFailed may throw a reserved name: Error is to be fixed'],
    ],
  ])('are broken by %s with %o', (name, change, violations) => {
    expect(ruleViolations(broken(defined('realtime'), name, change))).toStrictEqual(violations);
  });

  it.each<[object, string]>([
    [{ MaxConcurrency: 41 }, 'IngestParts runs more at once than an inline Map may'],
    [{ MaxConcurrency: 0 }, 'IngestParts runs more at once than an inline Map may'],
    [{ ResultPath: '$.x' }, 'IngestParts keeps results, which have no bound together'],
    [{ Catch: [] }, 'IngestParts does not catch everything'],
  ])('are broken by an inline Map with %o', (change, violation) => {
    const [, IngestParts] =
      allStates(defined('batch_poll')).find(([name]) => name === 'IngestParts') ?? [];
    const alone: StateMachineDefinition = {
      Comment: '',
      TimeoutSeconds: 1,
      StartAt: 'IngestParts',
      States: {
        IngestParts: { ...IngestParts, Next: 'RecordBatchFailure' } as State,
        RecordBatchFailure: { Type: 'Succeed' },
      },
    };
    expect(ruleViolations(alone)).toStrictEqual([]);
    expect(ruleViolations(broken(alone, 'IngestParts', change))).toStrictEqual([violation]);
  });
});
