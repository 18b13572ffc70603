import type { Expression, Scope } from '../data/expression.ts';
import { type JsonValue, requirePayloadLimit } from '../data/json_value.ts';
import type {
  Block,
  Catcher,
  ChoiceRule,
  ChoiceState,
  FailState,
  MapState,
  Retrier,
  State,
} from '../definition/definition.ts';
import { runDistributedMap } from '../distributed_map/distributed_map.ts';
import { asStateError, handles, StateError } from '../state_error.ts';
import type { Frame } from './frame.ts';
import { concurrencyOf, inputItems, runTogether, selectItem } from './map_items.ts';
import { runTask } from './task.ts';

/** Iterations of one inline Map at once. */
const MAX_INLINE_CONCURRENCY = 40;

/** What a state gives, and where it goes on; without `next` the block has ended. */
interface Step {
  readonly output: JsonValue;
  readonly next: string | undefined;
}

/**
 * Runs a block of states in `frame`, one after the other.
 *
 * @returns the output of the last one.
 * @throws StateError when a state fails and nothing catches it; the signal's reason when the frame is aborted.
 */
export async function runBlock(block: Block, input: JsonValue, frame: Frame): Promise<JsonValue> {
  let step: Step = { output: input, next: block.StartAt };
  while (step.next !== undefined) {
    frame.signal.throwIfAborted();
    const state = block.States[step.next];
    if (state === undefined) throw new RangeError(`there is no state ${step.next}`);
    step = await runState(step.next, state, step.output, frame);
  }
  return step.output;
}

/** Runs one state with its Retry and Catch. */
async function runState(name: string, state: State, input: JsonValue, frame: Frame): Promise<Step> {
  const retries = new Map<Retrier, number>();
  frame.enter(name, state.Type, input);
  for (;;) {
    try {
      const step = await attemptState(name, state, input, frame);
      frame.exit(name, state.Type, step.output);
      return step;
    } catch (thrown) {
      frame.signal.throwIfAborted();
      const error = asStateError(thrown);
      if (await waitToRetry(state.Retry, error, retries, frame)) continue;
      if (state.Type === 'Map') frame.failMap();
      const catcher = state.Catch?.find((rule) => handles(rule, error));
      if (catcher === undefined) throw error;
      const output = caughtBy(catcher, error, input);
      requirePayloadLimit(frame.runtime.texts.of(output), name);
      frame.exit(name, state.Type, output);
      return { output, next: catcher.Next };
    }
  }
}

/** @returns false when no retrier names the error, or the one that does has no attempt left. */
async function waitToRetry(
  retriers: readonly Retrier[] | undefined,
  error: StateError,
  retries: Map<Retrier, number>,
  frame: Frame,
): Promise<boolean> {
  const retrier = retriers?.find((rule) => handles(rule, error));
  if (retrier === undefined) return false;
  const { IntervalSeconds: interval = 1, BackoffRate: rate = 2, MaxAttempts: most = 3 } = retrier;
  const count = retries.get(retrier) ?? 0;
  if (count >= most) return false;
  retries.set(retrier, count + 1);
  const { wait, retryDelay, random } = frame.runtime.ports;
  const seconds = Math.min(interval * rate ** count, retrier.MaxDelaySeconds ?? Infinity);
  const jitter = retrier.JitterStrategy === 'FULL' ? random() : 1;
  await wait(retryDelay(seconds * jitter * 1_000), frame.signal);
  frame.countRetry();
  return true;
}

function caughtBy(catcher: Catcher, error: StateError, input: JsonValue): JsonValue {
  return placed(catcher.ResultPath, input, { Error: error.name, Cause: error.message });
}

/** One attempt of a state, from InputPath to OutputPath. @throws StateError */
async function attemptState(
  name: string,
  state: State,
  input: JsonValue,
  frame: Frame,
): Promise<Step> {
  const { texts } = frame.runtime;
  const effective = evaluated(state.InputPath, input, frame);
  if (state.Type === 'Fail') throw failure(state, frame.scope(effective));
  const next = state.Type === 'Choice' ? choose(state, frame.scope(effective)) : state.Next;
  const parameters = evaluated(state.Parameters, effective, frame);
  if (parameters !== effective) requirePayloadLimit(texts.of(parameters), name);
  const result = await resultOf(name, state, parameters, frame);
  const selected = evaluated(state.ResultSelector, result, frame);
  const combined = placed(state.ResultPath, input, selected);
  const output = evaluated(state.OutputPath, combined, frame);
  if (output !== input) requirePayloadLimit(texts.of(output), name);
  return { output, next };
}

async function resultOf(
  name: string,
  state: Exclude<State, FailState>,
  input: JsonValue,
  frame: Frame,
): Promise<JsonValue> {
  switch (state.Type) {
    case 'Task':
      return runTask(state, input, frame);
    case 'Pass':
      return state.Result === undefined ? input : state.Result;
    case 'Map':
      return state.ItemProcessor.ProcessorConfig?.Mode === 'DISTRIBUTED'
        ? runDistributedMap(state, input, frame)
        : runInlineMap(name, state, input, frame);
    case 'Choice':
    case 'Succeed':
      return input;
  }
}

/** What an expression makes of data: without one they stay, and a path that is null gives `{}`. */
function evaluated(
  expression: Expression | null | undefined,
  data: JsonValue,
  frame: Frame,
): JsonValue {
  if (expression === undefined) return data;
  return expression === null ? {} : expression(frame.scope(data));
}

/** The input with a result in the place that a ResultPath says. */
function placed(path: Catcher['ResultPath'], input: JsonValue, result: JsonValue): JsonValue {
  if (path === undefined) return result;
  if (path === null) return input;
  const combined = path.put(input, result);
  if (combined !== undefined) return combined;
  throw new StateError(
    'States.ResultPathMatchFailure',
    'The ResultPath can not be applied to the input of the state: it crosses what is no object.',
  );
}

/** @returns the next state. @throws StateError States.NoChoiceMatched */
function choose(state: ChoiceState, scope: Scope): string {
  const next = state.Choices.find((rule) => matches(rule, scope))?.Next ?? state.Default;
  if (next !== undefined) return next;
  throw new StateError(
    'States.NoChoiceMatched',
    "Failed to transition out of the state. The state's input matches none of its choice rules, and it has no Default.",
  );
}

/** A value of another type than the rule's matches nothing. */
function matches(rule: ChoiceRule, scope: Scope): boolean {
  if (rule.IsPresent !== undefined) return isPresent(rule.Variable, scope);
  const value = rule.Variable(scope);
  if (rule.NumericGreaterThan !== undefined) {
    return typeof value === 'number' && value > rule.NumericGreaterThan;
  }
  return value === (rule.NumericEquals ?? rule.StringEquals);
}

/** Whether a path leads to anything, null included. */
function isPresent(path: Expression, scope: Scope): boolean {
  try {
    path(scope);
    return true;
  } catch (error) {
    if (error instanceof StateError) return false;
    throw error;
  }
}

/** Any name is taken, one of `States.…` too: AWS's guide forbids none, and a Fail state may repeat what was caught. */
function failure(state: FailState, scope: Scope): StateError {
  return new StateError(
    textOf('ErrorPath', state.ErrorPath, state.Error, scope),
    textOf('CausePath', state.CausePath, state.Cause, scope),
  );
}

function textOf(
  field: string,
  expression: Expression | undefined,
  literal: string | undefined,
  scope: Scope,
): string {
  const value = expression === undefined ? (literal ?? '') : expression(scope);
  if (typeof value === 'string') return value;
  throw new StateError('States.Runtime', `The '${field}' of a Fail state must give a string`);
}

/**
 * Runs the item processor once for each item, within this execution and its history.
 *
 * @returns the outputs in the order of the items.
 * @throws StateError of the first iteration that fails; the others are aborted.
 */
async function runInlineMap(
  name: string,
  state: MapState,
  input: JsonValue,
  frame: Frame,
): Promise<JsonValue[]> {
  const items = inputItems(state, input, frame);
  const atOnce = concurrencyOf(state, MAX_INLINE_CONCURRENCY);
  frame.startMap(items.length);
  const outputs = await runTogether(items.length, atOnce, frame.signal, async (index, signal) => {
    const item = { index, value: items[index] ?? null };
    const iteration = frame.iteration(signal, item);
    iteration.record('MapIterationStarted', { name, index });
    try {
      const selected = selectItem(state, input, item, iteration);
      const output = await runBlock(state.ItemProcessor, selected, iteration);
      iteration.note('MapIterationSucceeded', { name, index });
      frame.continueAfter(iteration);
      return output;
    } catch (error) {
      if (!signal.aborted) frame.continueAfter(iteration);
      frame.note(signal.aborted ? 'MapIterationAborted' : 'MapIterationFailed', { name, index });
      throw error;
    }
  });
  frame.note('MapStateSucceeded');
  return outputs;
}
