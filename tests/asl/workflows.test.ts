import {
  compileDefinition,
  InvalidDefinition,
} from 'embedded-aws/step_functions/definition/compile_definition';
import { format } from 'prettier';
import { beforeAll, describe, expect, it } from 'vitest';
import type { State, StateMachineDefinition } from '../../components/state_machines/asl.ts';
import {
  type RecordedDeployment,
  resource,
  runProgram,
  WITH_BATCH_PATH,
} from '../infra/recorded_program.ts';
import { ruleViolations } from './asl_rules.ts';
import { WORKFLOWS } from './workflows.ts';

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
    ...WITH_BATCH_PATH,
    config: {
      ...WITH_BATCH_PATH.config,
      chromadb_bucket_name: 'vectors',
      batch_bucket_name: 'batch-files',
    },
  });
});

describe.each(WORKFLOWS)('the workflow $name', ({ name, resource: stem, definition, limits }) => {
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

  it('keeps the rules of this house', () => {
    expect(ruleViolations(definition)).toStrictEqual([]);
  });

  it('stays so with the least and the most at a time', () => {
    expect(limits).toHaveLength(2);
    expect(limits.map(problemsOf)).toStrictEqual([undefined, undefined]);
    expect(limits.flatMap(ruleViolations)).toStrictEqual([]);
  });

  it('is this one, whoever changes it', async () => {
    const text = await format(JSON.stringify(definition), { parser: 'json', printWidth: 100 });
    await expect(text).toMatchFileSnapshot(`./${name}.asl.json`);
  });

  it('is what the stack deploys', () => {
    const type = 'aws:sfn/stateMachine:StateMachine';
    const machine = resource(deployed, type, `${stem}-state-machine`);
    expect(JSON.parse(machine['definition'] as string)).toStrictEqual(definition);
  });
});
