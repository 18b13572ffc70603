import {
  compileExpression,
  compileTemplate,
  JsonPath,
} from 'embedded-aws/step_functions/data/expression';
import type { JsonObject, JsonValue } from 'embedded-aws/step_functions/data/json_value';
import {
  type Catcher,
  isDistributed,
  listsMapRuns,
  type MapState,
  type State,
  type StateMachineDefinition,
} from '../../components/state_machines/asl.ts';

type Block = Pick<StateMachineDefinition, 'StartAt' | 'States'>;

/** A workflow and samples of all that comes into it from outside. */
export interface FlowSamples {
  readonly definition: StateMachineDefinition;
  /** The execution's input. */
  readonly input: JsonValue;
  /** What each function may answer, by its ARN. */
  readonly answers: Readonly<Record<string, readonly JsonObject[]>>;
  /** A line of the list that a distributed Map reads. */
  readonly item: JsonValue;
}

/** All that may come about, whichever way an execution takes. */
export interface Flow {
  /** The payloads that each task sends. */
  readonly payloads: Readonly<Record<string, readonly JsonValue[]>>;
  /** What the workflow, or a Map's item, may end with, by its last state. */
  readonly outputs: Readonly<Record<string, readonly JsonValue[]>>;
  /** The longest data between two states, bytes. */
  readonly longest: number;
}

const FAILURE = { Error: 'RateLimited', Cause: '{"errorMessage":"slow down"}' };
const EXECUTION = { Id: 'arn:execution', Input: {}, Name: 'nightly-7', StartTime: 'now' };

/**
 * Walks every way through a workflow: each answer of each function, each branch, each caught error.
 *
 * @throws StateError for a path that leads nowhere on one of these ways.
 */
export function dataFlow(samples: FlowSamples): Flow {
  const walk = new Walk(samples);
  walk.block(samples.definition, samples.input, { Execution: EXECUTION });
  return walk;
}

class Walk implements Flow {
  readonly payloads: Record<string, JsonValue[]> = {};
  readonly outputs: Record<string, JsonValue[]> = {};
  longest = 0;
  readonly #samples: FlowSamples;

  constructor(samples: FlowSamples) {
    this.#samples = samples;
  }

  block({ StartAt, States }: Block, input: JsonValue, context: JsonObject): void {
    const seen = new Set<string>();
    const enter = (name: string, data: JsonValue): void => {
      const text = JSON.stringify(data);
      this.longest = Math.max(this.longest, Buffer.byteLength(text));
      const state = States[name];
      if (state === undefined) throw new Error(`there is no state ${name}`);
      if (seen.has(`${name} ${text}`)) return;
      seen.add(`${name} ${text}`);
      for (const [next, result] of this.#steps(name, state, data, context)) enter(next, result);
    };
    enter(StartAt, input);
  }

  /** Where a state may go on, each with the data it goes with. */
  #steps(
    name: string,
    state: State,
    data: JsonValue,
    context: JsonObject,
  ): (readonly [string, JsonValue])[] {
    const scope = { data, context };
    const fill = (template: unknown): JsonValue => compileTemplate(template as JsonValue)(scope);
    const read = (path: string): JsonValue => compileExpression(path, name)(scope);
    switch (state.Type) {
      case 'Task': {
        if (listsMapRuns(state)) {
          fill(state.Parameters);
          const found = { MapRuns: [{ MapRunArn: 'arn:aws:states:::mapRun:machine/label:1f0a' }] };
          return [
            ...this.#end(name, state, [output(state, data, found, context)]),
            ...caught(state.Catch, data),
          ];
        }
        const { FunctionName } = state.Parameters;
        const { Payload = null } = fill(state.Parameters) as JsonObject;
        keep(this.payloads, name, Payload);
        const answers = this.#samples.answers[FunctionName];
        if (answers === undefined) throw new Error(`${name}: no answer of ${FunctionName}`);
        const results = answers.map((answer) => output(state, data, { Payload: answer }, context));
        return [...this.#end(name, state, results), ...caught(state.Catch, data)];
      }
      case 'Map': {
        this.#items(state, data, context, fill);
        const result = { ResultWriterDetails: { Bucket: 'b', Key: 'k/manifest.json' } };
        const results = [output(state, data, isDistributed(state) ? result : [], context)];
        return [...this.#end(name, state, results), ...caught(state.Catch, data)];
      }
      case 'Choice':
        state.Choices.forEach(({ Variable, IsPresent }) => {
          // It is there, or not: both are ways that are walked.
          if (IsPresent === undefined) read(Variable);
        });
        return [...state.Choices.map(({ Next }) => Next), state.Default].map(
          (next): [string, JsonValue] => [next, data],
        );
      case 'Pass':
        return this.#end(name, state, [fill(state.Parameters)]);
      case 'Succeed':
        return this.#end(name, { End: true }, [data]);
      case 'Fail':
        read(state.CausePath);
        return [];
    }
  }

  #items(
    map: MapState,
    data: JsonValue,
    context: JsonObject,
    fill: (template: unknown) => JsonValue,
  ): void {
    if (isDistributed(map)) {
      fill(map.ItemReader.Parameters);
      fill(map.ResultWriter.Parameters);
    }
    const items = isDistributed(map)
      ? [this.#samples.item]
      : compileExpression(map.ItemsPath, 'ItemsPath')({ data, context });
    if (!Array.isArray(items)) throw new TypeError('a Map needs a list');
    for (const value of items) {
      const own = { ...context, Map: { Item: { Index: 0, Value: value } } };
      const scope = { data, context: own };
      this.block(map.ItemProcessor, compileTemplate(map.ItemSelector)(scope), own);
    }
  }

  #end(
    name: string,
    state: { readonly Next: string } | { readonly End: true },
    results: readonly JsonValue[],
  ): (readonly [string, JsonValue])[] {
    if ('Next' in state) return results.map((result) => [state.Next, result]);
    for (const result of results) keep(this.outputs, name, result);
    return [];
  }
}

/** What a state makes of its result: ResultSelector, ResultPath, OutputPath. */
function output(
  state: object,
  input: JsonValue,
  result: JsonValue,
  context: JsonObject,
): JsonValue {
  const {
    ResultSelector,
    ResultPath = '$',
    OutputPath = '$',
  } = state as { ResultSelector?: JsonObject; ResultPath?: string | null; OutputPath?: string };
  const scopeOf = (data: JsonValue) => ({ data, context });
  const selected =
    ResultSelector === undefined ? result : compileTemplate(ResultSelector)(scopeOf(result));
  const joined = ResultPath === null ? input : put(input, ResultPath, selected);
  return compileExpression(OutputPath, 'OutputPath')(scopeOf(joined));
}

function caught(catchers: readonly Catcher[], input: JsonValue): (readonly [string, JsonValue])[] {
  return catchers.map(({ Next, ResultPath }) => [Next, put(input, ResultPath, FAILURE)]);
}

function put(input: JsonValue, path: string, value: JsonValue): JsonValue {
  const whole = new JsonPath(path).put(input, value);
  if (whole === undefined) throw new Error(`there is no place for ${path}`);
  return whole;
}

/** Adds a value that is not there yet. */
function keep(lists: Record<string, JsonValue[]>, name: string, value: JsonValue): void {
  const list = (lists[name] ??= []);
  if (!list.some((one) => JSON.stringify(one) === JSON.stringify(value))) list.push(value);
}
