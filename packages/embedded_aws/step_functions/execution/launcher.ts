import { ExecutionAbortedError, ExecutionTimeoutError } from 'aws-local-stepfunctions';
import { ApiError } from '../api/api_error.ts';
import { Arns } from '../arns.ts';
import type { JsonValue } from '../data/json_value.ts';
import { PayloadTexts, requirePayloadLimit } from '../data/payload_text.ts';
import type { MapRun } from '../distributed_map/map_run.ts';
import type { StepFunctionsPorts } from '../ports.ts';
import { runBlock } from './block_run.ts';
import { Execution } from './execution.ts';
import type { ExecutionStore } from './execution_store.ts';
import { Frame } from './frame.ts';
import type { Machine } from './machine.ts';
import type { Runtime } from './runtime.ts';
import { asStateError } from './state_error.ts';

/** Starts executions and sees them through to their end. */
export class Launcher {
  readonly #ports: StepFunctionsPorts;
  readonly #store: ExecutionStore;
  readonly #runtime: Runtime;
  readonly #running = new Set<Promise<void>>();

  constructor(ports: StepFunctionsPorts, store: ExecutionStore) {
    this.#ports = ports;
    this.#store = store;
    this.#runtime = {
      ports,
      arns: new Arns(ports.region, ports.accountId),
      texts: new PayloadTexts(),
      store,
      startChild: (mapRun, input) => this.#startChild(mapRun, input),
    };
  }

  get arns(): Arns {
    return this.#runtime.arns;
  }

  /**
   * Starts an execution, or gives the one that runs already under this name with the same input.
   *
   * @throws ApiError ExecutionAlreadyExists
   */
  start(
    machine: Machine,
    givenName: string | undefined,
    input: JsonValue,
    inputText: string,
  ): Execution {
    const name = givenName ?? this.#ports.newId();
    const arn = this.arns.execution(machine.name, name);
    const existing = this.#store.execution(arn);
    if (existing?.status === 'RUNNING' && existing.inputText === inputText) return existing;
    if (existing !== undefined) {
      throw new ApiError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    const execution = new Execution({
      arn,
      name,
      machine,
      input,
      inputText,
      clock: this.#ports.clock,
    });
    this.#store.addExecution(execution);
    this.#run(execution);
    return execution;
  }

  /** Aborts everything that runs, and resolves when all of it has stopped. */
  async close(): Promise<void> {
    for (const execution of this.#store.executions) execution.stop();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #startChild(mapRun: MapRun, input: JsonValue): Execution {
    const id = this.#ports.newId();
    const { machine, settings } = mapRun;
    const isExpress = settings.childType === 'EXPRESS';
    const execution = new Execution({
      arn: isExpress
        ? this.arns.expressExecution(machine.name, id, this.#ports.newId())
        : this.arns.execution(machine.name, id),
      name: id,
      machine,
      input,
      inputText: this.#runtime.texts.of(input),
      mapRunArn: mapRun.arn,
      clock: this.#ports.clock,
    });
    this.#store.addExecution(execution);
    this.#run(execution);
    return execution;
  }

  #run(execution: Execution): void {
    const running = this.#complete(execution).finally(() => {
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  async #complete(execution: Execution): Promise<void> {
    const frame = new Frame(execution, this.#runtime, execution.signal, 1);
    try {
      const output = await runBlock(execution.machine.block, execution.input, frame);
      const text = this.#runtime.texts.of(output);
      requirePayloadLimit(text, execution.machine.name);
      execution.succeed(text);
    } catch (error) {
      if (error instanceof ExecutionTimeoutError) execution.timeOut();
      else if (error instanceof ExecutionAbortedError) execution.stop();
      else execution.fail(asStateError(error));
    }
  }
}
