import type { JsonValue } from '../data/json_value.ts';
import type { Block } from '../definition/definition.ts';
import { StateError } from '../state_error.ts';

/**
 * Events in the history of one execution; the last of them is the one that ends it.
 * Source: AWS Step Functions Developer Guide, "Service quotas".
 */
const MAX_HISTORY_EVENTS = 25_000;

/** What an execution executes: a state machine, or for the children of a Map Run the item processor of a Map. */
export interface Machine {
  readonly arn: string;
  /** `{name}`, for the children of a Map Run `{name}/{label}`. */
  readonly name: string;
  readonly roleArn: string;
  readonly block: Block;
}

/** @param kind `stateMachine`, `execution`, `express` or `mapRun` */
export function statesArn(
  { region, accountId }: { readonly region: string; readonly accountId: string },
  kind: string,
  rest: string,
): string {
  return `arn:aws:states:${region}:${accountId}:${kind}:${rest}`;
}

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** One event of a history, its data as JSON text where AWS gives text. */
export interface RecordedEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly at: Date;
  readonly type: string;
  readonly details: EventDetails | undefined;
}

export type EventDetails = Readonly<Record<string, string | number | undefined>>;

export interface ExecutionStart {
  readonly arn: string;
  readonly name: string;
  readonly machine: Machine;
  readonly input: JsonValue;
  /** The input as it was given. */
  readonly inputText: string;
  readonly mapRunArn?: string;
  readonly clock: () => Date;
}

interface Ending {
  readonly status: Exclude<ExecutionStatus, 'RUNNING'>;
  readonly output?: string;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

/** One execution: its history, and how it ends. It ends once; what comes later changes nothing. */
export class Execution {
  readonly arn: string;
  readonly name: string;
  readonly machine: Machine;
  readonly input: JsonValue;
  readonly inputText: string;
  readonly mapRunArn: string | undefined;
  readonly startDate: Date;
  /** Resolves when the execution has ended, however it did. */
  readonly ended: Promise<void>;
  readonly #controller = new AbortController();
  readonly #clock: () => Date;
  readonly #resolveEnded: () => void;
  #events: RecordedEvent[] | undefined = [];
  #ending: (Ending & { readonly stopDate: Date }) | undefined;

  constructor(start: ExecutionStart) {
    this.arn = start.arn;
    this.name = start.name;
    this.machine = start.machine;
    this.input = start.input;
    this.inputText = start.inputText;
    this.mapRunArn = start.mapRunArn;
    this.#clock = start.clock;
    this.startDate = start.clock();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.ended = promise;
    this.#resolveEnded = () => {
      resolve(undefined);
    };
    this.#push('ExecutionStarted', 0, this.startDate, {
      input: this.inputText,
      roleArn: this.machine.roleArn,
    });
  }

  get status(): ExecutionStatus {
    return this.#ending?.status ?? 'RUNNING';
  }

  get stopDate(): Date | undefined {
    return this.#ending?.stopDate;
  }

  /** The output as JSON text, of an execution that succeeded. */
  get output(): string | undefined {
    return this.#ending?.output;
  }

  get error(): string | undefined {
    return this.#ending?.error;
  }

  get cause(): string | undefined {
    return this.#ending?.cause;
  }

  /** Aborted as soon as the execution has ended. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** undefined once the history was dropped. */
  get events(): readonly RecordedEvent[] | undefined {
    return this.#events;
  }

  /** Frees the memory of the history; what DescribeExecution answers stays. */
  dropHistory(): void {
    this.#events = undefined;
  }

  /**
   * Adds an event to the history, which fails the execution when it has room for the end only.
   *
   * @returns the event's id; once the execution has ended nothing is added, and it is `previousEventId`.
   */
  record(type: string, previousEventId: number, details?: EventDetails): number {
    if (this.#ending !== undefined || this.#events === undefined) return previousEventId;
    if (this.#events.length === MAX_HISTORY_EVENTS - 1) {
      const cause = `The execution reached the maximum number of history events (${MAX_HISTORY_EVENTS}).`;
      this.fail(new StateError('States.Runtime', cause));
      return previousEventId;
    }
    return this.#push(type, previousEventId, this.#clock(), details);
  }

  succeed(output: string): void {
    this.#end('ExecutionSucceeded', { status: 'SUCCEEDED', output }, { output });
  }

  fail({ name, message }: StateError): void {
    // AWS shows neither of them where there is none.
    const failure = { error: name || undefined, cause: message || undefined };
    this.#end('ExecutionFailed', { status: 'FAILED', ...failure }, failure);
  }

  /** DescribeExecution of an execution that timed out has no error on AWS; its history has. */
  timeOut(): void {
    this.#end('ExecutionTimedOut', { status: 'TIMED_OUT' }, { error: 'States.Timeout' });
  }

  stop(error?: string, cause?: string): void {
    this.#end('ExecutionAborted', { status: 'ABORTED', error, cause }, { error, cause });
  }

  #end(event: string, ending: Ending, details: EventDetails): void {
    if (this.#ending !== undefined) return;
    const stopDate = this.#clock();
    this.#ending = { ...ending, stopDate };
    this.#push(event, this.#events?.length ?? 0, stopDate, details);
    this.#controller.abort();
    this.#resolveEnded();
  }

  #push(type: string, previousEventId: number, at: Date, details?: EventDetails): number {
    const events = this.#events ?? [];
    const id = events.length + 1;
    events.push({ id, previousEventId, at, type, details });
    return id;
  }
}
