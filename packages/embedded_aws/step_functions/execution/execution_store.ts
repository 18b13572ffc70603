import type { MapRun } from '../distributed_map/map_run.ts';
import type { Execution } from './execution.ts';
import type { Machine } from './machine.ts';

/** The state machines, executions and Map Runs of one stand-in. */
export class ExecutionStore {
  readonly #machines = new Map<string, Machine>();
  readonly #executions = new Map<string, Execution>();
  readonly #executionsOf = new Map<string, Execution[]>();
  readonly #mapRuns = new Map<string, MapRun>();

  get machines(): readonly Machine[] {
    return [...this.#machines.values()];
  }

  get executions(): readonly Execution[] {
    return [...this.#executions.values()];
  }

  addMachine(machine: Machine): void {
    this.#machines.set(machine.arn, machine);
  }

  machine(arn: string): Machine | undefined {
    return this.#machines.get(arn);
  }

  /** Children of a Map Run are listed with the run, not with their state machine. */
  addExecution(execution: Execution): void {
    this.#executions.set(execution.arn, execution);
    if (execution.mapRunArn !== undefined) return;
    const { arn } = execution.machine;
    const listed = this.#executionsOf.get(arn);
    if (listed === undefined) this.#executionsOf.set(arn, [execution]);
    else listed.push(execution);
  }

  execution(arn: string): Execution | undefined {
    return this.#executions.get(arn);
  }

  /** Oldest first. */
  executionsOf(machineArn: string): readonly Execution[] {
    return this.#executionsOf.get(machineArn) ?? [];
  }

  addMapRun(mapRun: MapRun): void {
    this.#mapRuns.set(mapRun.arn, mapRun);
  }

  mapRun(arn: string): MapRun | undefined {
    return this.#mapRuns.get(arn);
  }

  /** Oldest first. */
  mapRunsOf(executionArn: string): readonly MapRun[] {
    return [...this.#mapRuns.values()].filter((mapRun) => mapRun.parent.arn === executionArn);
  }
}
