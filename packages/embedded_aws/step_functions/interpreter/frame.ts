import type { Scope } from '../data/expression.ts';
import type { JsonObject, JsonValue, PayloadTexts } from '../data/json_value.ts';
import type { State } from '../definition/definition.ts';
import type { MapRun } from '../distributed_map/map_run.ts';
import type { EventDetails, Execution } from '../execution/execution.ts';
import type { StepFunctionsPorts } from '../ports.ts';

/** What the executions of one stand-in share. */
export interface Runtime {
  readonly ports: Required<StepFunctionsPorts>;
  readonly texts: PayloadTexts;
  readonly addMapRun: (mapRun: MapRun) => void;
  /** Those of this execution, oldest first. */
  readonly mapRunsOf: (executionArn: string) => readonly MapRun[];
  readonly startChild: (mapRun: MapRun, input: JsonValue) => Execution;
}

export interface MapItem {
  readonly index: number;
  readonly value: JsonValue;
}

/**
 * One line of states that follow each other: an execution or an iteration of a Map. It knows which event came
 * before, what the context object holds, and when to give up.
 */
export class Frame {
  readonly execution: Execution;
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
  readonly #mapItem: MapItem | undefined;
  /** On AWS the first state follows event 0, not the start of the execution. */
  #previousEventId = 0;
  #entered: { readonly name: string; readonly time: string; retryCount: number } | undefined;
  #hasMapStarted = false;

  constructor(execution: Execution, runtime: Runtime, signal: AbortSignal, mapItem?: MapItem) {
    this.execution = execution;
    this.runtime = runtime;
    this.signal = signal;
    this.#mapItem = mapItem;
  }

  /** An iteration that begins where this frame is. */
  iteration(signal: AbortSignal, mapItem: MapItem): Frame {
    const inner = new Frame(this.execution, this.runtime, signal, mapItem);
    inner.#previousEventId = this.#previousEventId;
    return inner;
  }

  /** Goes on after the last event of an iteration that has ended. */
  continueAfter(iteration: Frame): void {
    this.#previousEventId = iteration.#previousEventId;
  }

  record(type: string, details?: EventDetails): void {
    this.#previousEventId = this.execution.record(type, this.#previousEventId, details);
  }

  /** Records an event that no other one follows: what comes next has the same one before it (as AWS's histories have it). */
  note(type: string, details?: EventDetails): void {
    this.execution.record(type, this.#previousEventId, details);
  }

  enter(name: string, type: State['Type'], input: JsonValue): void {
    const time = this.runtime.ports.clock().toISOString();
    this.#entered = { name, time, retryCount: 0 };
    this.#hasMapStarted = false;
    this.record(`${type}StateEntered`, { name, input: this.runtime.texts.of(input) });
  }

  exit(name: string, type: State['Type'], output: JsonValue): void {
    this.record(`${type}StateExited`, { name, output: this.runtime.texts.of(output) });
  }

  countRetry(): void {
    if (this.#entered !== undefined) this.#entered.retryCount += 1;
  }

  startMap(length: number): void {
    this.#hasMapStarted = true;
    this.record('MapStateStarted', { length });
  }

  /** After the last attempt; a Map that did not get as far as its start has no end. */
  failMap(): void {
    if (this.#hasMapStarted) this.record('MapStateFailed');
  }

  /** Before a call of AWS. @throws what the port says when the state machine's role does not allow it. */
  authorize(action: string, resource: string): void {
    this.runtime.ports.authorize(this.execution.machine.roleArn, action, resource);
  }

  /** What expressions over `data` are evaluated in. */
  scope(data: JsonValue, mapItem = this.#mapItem): Scope {
    return { data, context: this.#context(mapItem) };
  }

  #context(mapItem: MapItem | undefined): JsonObject {
    const { execution } = this;
    const entered = this.#entered;
    return {
      Execution: {
        Id: execution.arn,
        Input: execution.input,
        Name: execution.name,
        RoleArn: execution.machine.roleArn,
        StartTime: execution.startDate.toISOString(),
        RedriveCount: 0,
      },
      StateMachine: { Id: execution.machine.arn, Name: execution.machine.name },
      ...(entered === undefined
        ? {}
        : {
            State: {
              Name: entered.name,
              EnteredTime: entered.time,
              RetryCount: entered.retryCount,
            },
          }),
      ...(mapItem === undefined
        ? {}
        : { Map: { Item: { Index: mapItem.index, Value: mapItem.value } } }),
    };
  }
}
