import type { JsonValue } from '../data/json_value.ts';
import { History } from './history.ts';
import { maxHistoryEvents } from './limits.ts';
import type { Machine } from './machine.ts';
import { StateError } from './state_error.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

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
  readonly event: string;
  readonly output?: string;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

/** One execution: what is known of it, and how it ends. It ends once; what comes later changes nothing. */
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
  #history: History | undefined;
  #ending: (Ending & { readonly stopDate: Date }) | undefined;
  #resolveEnded: () => void = () => undefined;

  constructor(start: ExecutionStart) {
    this.arn = start.arn;
    this.name = start.name;
    this.machine = start.machine;
    this.input = start.input;
    this.inputText = start.inputText;
    this.mapRunArn = start.mapRunArn;
    this.#clock = start.clock;
    this.startDate = start.clock();
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const history = new History();
    this.#history = history;
    history.add('ExecutionStarted', 0, this.startDate, {
      input: this.inputText,
      roleArn: this.machine.roleArn,
    });
    history.onOverflow(() => {
      this.fail(
        new StateError(
          'States.Runtime',
          `The execution reached the maximum number of history events (${maxHistoryEvents}).`,
        ),
      );
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

  /** undefined once it was dropped. */
  get history(): History | undefined {
    return this.#history;
  }

  /** Frees the memory of the history; what DescribeExecution answers stays. */
  dropHistory(): void {
    this.#history = undefined;
  }

  succeed(output: string): void {
    this.#end({ status: 'SUCCEEDED', event: 'ExecutionSucceeded', output });
  }

  fail(error: StateError): void {
    this.#end({
      status: 'FAILED',
      event: 'ExecutionFailed',
      error: error.name === '' ? undefined : error.name,
      cause: error.hasCause ? error.message : undefined,
    });
  }

  timeOut(): void {
    this.#end({ status: 'TIMED_OUT', event: 'ExecutionTimedOut', error: 'States.Timeout' });
  }

  stop(error?: string, cause?: string): void {
    this.#end({ status: 'ABORTED', event: 'ExecutionAborted', error, cause });
  }

  #end(ending: Ending): void {
    if (this.#ending !== undefined) return;
    const stopDate = this.#clock();
    this.#ending = { ...ending, stopDate };
    const { output, error, cause } = ending;
    this.#history?.close(ending.event, stopDate, { output, error, cause });
    this.#controller.abort();
    this.#resolveEnded();
  }
}
