import type { EvaluationScope } from '../data/intrinsic_expression.ts';
import type { JsonObject, JsonValue } from '../data/json_value.ts';
import type { AslState } from '../definition/definition.ts';
import type { Execution } from './execution.ts';
import type { EventDetails } from './history.ts';
import type { Runtime } from './runtime.ts';

export interface MapItem {
  readonly index: number;
  readonly value: JsonValue;
}

/** A state at work, until it is done, times out or is aborted. */
export interface Attempt {
  readonly signal: AbortSignal;
  /** Set by what has something to record when the engine gives up waiting for the state. */
  onTimeout: () => void;
}

/**
 * One line of states that follow each other: an execution, a branch of a Parallel or an iteration of a Map.
 * It knows which event came before, what the context object holds, and when to give up.
 */
export class Frame {
  readonly execution: Execution;
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
  readonly #mapItem: MapItem | undefined;
  #previousEventId: number;
  #entered: { readonly name: string; readonly time: string; retryCount: number } | undefined;

  constructor(
    execution: Execution,
    runtime: Runtime,
    signal: AbortSignal,
    previousEventId: number,
    mapItem?: MapItem,
  ) {
    this.execution = execution;
    this.runtime = runtime;
    this.signal = signal;
    this.#previousEventId = previousEventId;
    this.#mapItem = mapItem;
  }

  /** A branch or iteration that begins where this frame is. */
  inner(signal: AbortSignal, mapItem: MapItem | undefined = this.#mapItem): Frame {
    return new Frame(this.execution, this.runtime, signal, this.#previousEventId, mapItem);
  }

  /** Goes on after the last event of a branch or iteration that has ended. */
  continueAfter(inner: Frame): void {
    this.#previousEventId = inner.#previousEventId;
  }

  record(type: string, details?: EventDetails): void {
    const { history } = this.execution;
    if (history === undefined) return;
    this.#previousEventId = history.add(
      type,
      this.#previousEventId,
      this.runtime.ports.clock(),
      details,
    );
  }

  enter(name: string, type: AslState['Type'], input: JsonValue): void {
    this.#entered = { name, time: this.runtime.ports.clock().toISOString(), retryCount: 0 };
    this.record(`${type}StateEntered`, { name, input: this.runtime.texts.of(input) });
  }

  exit(name: string, type: AslState['Type'], output: JsonValue): void {
    this.record(`${type}StateExited`, { name, output: this.runtime.texts.of(output) });
  }

  /** Before a call of AWS. @throws what the port says when the state machine's role does not allow it. */
  authorize(action: string, resource: string): void {
    const { roleArn } = this.execution.machine;
    this.runtime.ports.authorize?.(roleArn, action, resource);
  }

  countRetry(): void {
    if (this.#entered !== undefined) this.#entered.retryCount += 1;
  }

  /** The context object, `$$`. */
  context(mapItem: MapItem | undefined = this.#mapItem): JsonObject {
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

  /** What expressions over `data` are evaluated in. */
  scope(data: JsonValue, mapItem?: MapItem): EvaluationScope {
    return {
      data,
      context: this.context(mapItem ?? this.#mapItem),
      newId: this.runtime.ports.newId,
    };
  }
}
