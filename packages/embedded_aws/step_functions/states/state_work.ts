import { JsonPath } from '../data/json_path.ts';
import type { JsonValue } from '../data/json_value.ts';
import { evaluateExpression, fillTemplate } from '../data/payload_template.ts';
import { requirePayloadLimit } from '../data/payload_text.ts';
import type { CompiledBlock } from '../definition/compiled_block.ts';
import { type AslState, type FailState, isDistributed } from '../definition/definition.ts';
import { runDistributedMap } from '../distributed_map/distributed_map.ts';
import type { Attempt, Frame } from '../execution/frame.ts';
import { StateError } from '../execution/state_error.ts';
import { runInlineMap } from './inline_map.ts';
import { runParallel } from './parallel_state.ts';
import { runTask } from './task_state.ts';
import { runWait } from './wait_state.ts';

/**
 * What a state does with its input, from InputPath to OutputPath. All of it is done here and none by the engine,
 * which takes `$` in a ResultPath for a field's name, ignores a Result that is null, false, 0 or "",
 * and forgets `$$.Map` and the execution's own input inside of branches and iterations.
 *
 * @returns the state's output, no larger than AWS lets it be.
 * @throws StateError
 */
export async function performState(
  name: string,
  state: AslState,
  input: JsonValue,
  block: CompiledBlock,
  frame: Frame,
  attempt: Attempt,
): Promise<JsonValue> {
  if (state.Type === 'Fail') throw failure(state, input, frame);
  const effective = atPath(state.InputPath, 'InputPath', input, frame);
  const parameters =
    state.Parameters === undefined
      ? effective
      : fillTemplate(state.Parameters, frame.scope(effective));
  if (parameters !== effective) {
    requirePayloadLimit(frame.runtime.texts.of(parameters), name, state);
  }
  const result = await work(name, state, parameters, block, frame, attempt);
  const selected =
    state.ResultSelector === undefined
      ? result
      : fillTemplate(state.ResultSelector, frame.scope(result));
  const combined = atResultPath(state, input, selected);
  const output = atPath(state.OutputPath, 'OutputPath', combined, frame);
  if (output !== input) requirePayloadLimit(frame.runtime.texts.of(output), name, state);
  return output;
}

async function work(
  name: string,
  state: AslState,
  input: JsonValue,
  block: CompiledBlock,
  frame: Frame,
  attempt: Attempt,
): Promise<JsonValue> {
  const inner = block.inner.get(name) ?? [];
  switch (state.Type) {
    case 'Task':
      return runTask(state, input, frame, attempt);
    case 'Pass':
      return state.Result === undefined ? input : state.Result;
    case 'Wait':
      await runWait(state, input, frame, attempt.signal);
      return input;
    case 'Parallel':
      return runParallel(inner, input, frame, attempt.signal);
    case 'Map':
      return isDistributed(state)
        ? runDistributedMap(state, inner, input, frame, attempt.signal)
        : runInlineMap(name, state, inner, input, frame, attempt.signal);
    case 'Succeed':
    case 'Choice':
    case 'Fail':
      return input;
  }
}

function atPath(
  path: string | null | undefined,
  field: string,
  data: JsonValue,
  frame: Frame,
): JsonValue {
  if (path === undefined) return data;
  return path === null ? {} : evaluateExpression(path, field, frame.scope(data));
}

function atResultPath(state: AslState, input: JsonValue, result: JsonValue): JsonValue {
  const path = state.ResultPath;
  if (path === undefined) return result;
  if (path === null) return input;
  const combined = new JsonPath(path).put(input, result);
  if (combined === undefined) {
    throw new StateError(
      'States.ResultPathMatchFailure',
      `The ResultPath '${path}' can not be applied to the input of the state.`,
    );
  }
  return combined;
}

function failure(state: FailState, input: JsonValue, frame: Frame): StateError {
  return new StateError(
    state.ErrorPath === undefined ? (state.Error ?? '') : text('ErrorPath', state.ErrorPath),
    state.CausePath === undefined ? (state.Cause ?? '') : text('CausePath', state.CausePath),
  );

  // A path, or on AWS a call of an intrinsic function; the engine takes paths only.
  function text(field: string, expression: string): string {
    const value = evaluateExpression(expression, field, frame.scope(input));
    if (typeof value === 'string') return value;
    throw new StateError(
      'States.Runtime',
      `The '${field}' of a Fail state must give a string: '${expression}' does not`,
    );
  }
}
