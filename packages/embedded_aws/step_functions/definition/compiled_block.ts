import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { engineChoiceRule, engineContextPath } from './choice_rules.ts';
import type { AslBlock, AslState, Catcher, ChoiceState, Retrier } from './definition.ts';

/**
 * The longest time that a Node timer can wait, in seconds. A longer one fires at once, and AWS's default
 * timeout of a Task is 99,999,999 seconds (the engine's own default, 60 seconds, is wrong).
 */
const longestTimeoutSeconds = 2_147_483;

/** A block of states, ready to run any number of times. */
export interface CompiledBlock {
  readonly definition: AslBlock;
  /**
   * What the engine runs. It owns the order of the states, the rules of a Choice, Retry, Catch and the
   * timeouts; every state but a Choice is a Task to it, whose local handler does the state's work and moves
   * its data (state_work.ts says why).
   */
  readonly machine: StateMachine;
  /** The blocks inside each Parallel or Map state, by its name. */
  readonly inner: ReadonlyMap<string, readonly CompiledBlock[]>;
}

/**
 * @param retryDelay what a wait of so many milliseconds between two attempts shall be. It changes the first
 *   interval and the cap of each retrier; the engine multiplies and jitters what it gives.
 */
export function compileBlock(
  definition: AslBlock,
  retryDelay: (milliseconds: number) => number,
): CompiledBlock {
  const states = Object.entries(definition.States);
  const engineDefinition = {
    StartAt: definition.StartAt,
    States: Object.fromEntries(
      states.map(([name, state]) => [name, engineState(state, retryDelay)]),
    ),
    ...(definition.TimeoutSeconds === undefined
      ? {}
      : { TimeoutSeconds: Math.min(definition.TimeoutSeconds, longestTimeoutSeconds) }),
  };
  const inner = new Map(
    states.map(([name, state]) => [
      name,
      innerBlocks(state).map((block) => compileBlock(block, retryDelay)),
    ]),
  );
  return {
    definition,
    machine: new StateMachine(engineDefinition as StateMachineDefinition, {
      // Validated already, as what it was; as what it has become it need not be.
      validationOptions: { noValidate: true },
    }),
    inner,
  };
}

function innerBlocks(state: AslState): readonly AslBlock[] {
  if (state.Type === 'Parallel') return state.Branches;
  return state.Type === 'Map' ? [state.ItemProcessor] : [];
}

function engineState(state: AslState, retryDelay: (milliseconds: number) => number): object {
  if (state.Type === 'Choice') return engineChoice(state);
  const seconds = (state.Type === 'Task' ? state.TimeoutSeconds : undefined) ?? Infinity;
  return {
    Type: 'Task',
    Resource: 'local',
    TimeoutSeconds: Math.min(seconds, longestTimeoutSeconds),
    ...(state.Next === undefined ? { End: true } : { Next: state.Next }),
    ...(state.Retry === undefined
      ? {}
      : { Retry: state.Retry.map((retrier) => engineRetrier(retrier, retryDelay)) }),
    ...(state.Catch === undefined ? {} : { Catch: state.Catch.map(engineCatcher) }),
  };
}

function engineChoice(state: ChoiceState): object {
  return {
    Type: 'Choice',
    Choices: state.Choices.map(engineChoiceRule),
    ...(state.Default === undefined ? {} : { Default: state.Default }),
    ...enginePath('InputPath', state.InputPath),
    ...enginePath('OutputPath', state.OutputPath),
  };
}

// `$` is left out: the engine finds nothing there when the input is null, false, 0 or "".
function enginePath(field: string, path: string | null | undefined): object {
  if (path === undefined || path === '$') return {};
  return { [field]: path === null ? null : engineContextPath(path) };
}

function engineRetrier(retrier: Retrier, retryDelay: (milliseconds: number) => number): Retrier {
  const scaled = (seconds: number): number => retryDelay(seconds * 1_000) / 1_000;
  return {
    ...retrier,
    IntervalSeconds: scaled(retrier.IntervalSeconds ?? 1),
    ...(retrier.MaxDelaySeconds === undefined
      ? {}
      : { MaxDelaySeconds: scaled(retrier.MaxDelaySeconds) }),
  };
}

// The engine takes a ResultPath of `$` for a field of that name.
function engineCatcher(catcher: Catcher): object {
  const { ResultPath: resultPath, ...rest } = catcher;
  return resultPath === undefined || resultPath === '$'
    ? rest
    : { ...rest, ResultPath: resultPath };
}
