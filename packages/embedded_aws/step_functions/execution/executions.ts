import { ApiError } from '../api/request.ts';
import { type JsonValue, PayloadTexts, requirePayloadLimit } from '../data/json_value.ts';
import type { MapRun } from '../distributed_map/map_run.ts';
import { Frame, type Runtime } from '../interpreter/frame.ts';
import { runBlock } from '../interpreter/run_states.ts';
import type { StepFunctionsPorts } from '../ports.ts';
import { asStateError } from '../state_error.ts';
import { Execution, type Machine, statesArn } from './execution.ts';

/** A state machine as it was created. */
export interface StateMachine extends Machine {
  readonly definitionText: string;
  readonly creationDate: Date;
  readonly loggingConfiguration: object;
}

/** The state machines of one stand-in, their executions and Map Runs. Starts executions and runs them to their end. */
export class Executions {
  readonly ports: Required<StepFunctionsPorts>;
  /** Each by its ARN, oldest first. */
  readonly machines = new Map<string, StateMachine>();
  readonly executions = new Map<string, Execution>();
  readonly mapRuns = new Map<string, MapRun>();
  readonly #runtime: Runtime;
  readonly #running = new Set<Promise<void>>();

  constructor(ports: Required<StepFunctionsPorts>) {
    this.ports = ports;
    this.#runtime = {
      ports,
      texts: new PayloadTexts(),
      addMapRun: (mapRun) => {
        this.mapRuns.set(mapRun.start.arn, mapRun);
      },
      mapRunsOf: (executionArn) =>
        [...this.mapRuns.values()].filter(({ start }) => start.parent.arn === executionArn),
      startChild: (mapRun, input) => this.#startChild(mapRun, input),
    };
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
    const name = givenName ?? this.ports.newId();
    const arn = statesArn(this.ports, 'execution', `${machine.name}:${name}`);
    const existing = this.executions.get(arn);
    if (existing?.status === 'RUNNING' && existing.inputText === inputText) return existing;
    if (existing !== undefined) {
      throw new ApiError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    const { clock } = this.ports;
    return this.#run(new Execution({ arn, name, machine, input, inputText, clock }));
  }

  /** Aborts everything that runs, and resolves when all of it has stopped. */
  async close(): Promise<void> {
    for (const execution of this.executions.values()) execution.stop();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #startChild({ start }: MapRun, input: JsonValue): Execution {
    const { clock, newId } = this.ports;
    const { machine } = start;
    const name = newId();
    return this.#run(
      new Execution({
        // As on AWS, an Express child has an ARN of its own kind; it can be described, and has no history.
        arn:
          start.childType === 'EXPRESS'
            ? statesArn(this.ports, 'express', `${machine.name}:${name}:${newId()}`)
            : statesArn(this.ports, 'execution', `${machine.name}:${name}`),
        name,
        machine,
        input,
        inputText: this.#runtime.texts.of(input),
        mapRunArn: start.arn,
        clock,
      }),
    );
  }

  #run(execution: Execution): Execution {
    this.executions.set(execution.arn, execution);
    const running = this.#complete(execution).finally(() => {
      this.#running.delete(running);
    });
    this.#running.add(running);
    return execution;
  }

  async #complete(execution: Execution): Promise<void> {
    const { block, name } = execution.machine;
    const { ports, texts } = this.#runtime;
    if (block.TimeoutSeconds !== undefined) {
      const onTimeout = (): void => {
        execution.timeOut();
      };
      ports.wait(block.TimeoutSeconds * 1_000, execution.signal).then(onTimeout, () => undefined);
    }
    try {
      const frame = new Frame(execution, this.#runtime, execution.signal);
      const text = texts.of(await runBlock(block, execution.input, frame));
      requirePayloadLimit(text, name);
      execution.succeed(text);
    } catch (error) {
      // Of an execution that has been stopped or has timed out, this changes nothing.
      execution.fail(asStateError(error));
    }
  }
}
