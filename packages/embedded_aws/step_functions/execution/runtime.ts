import type { Arns } from '../arns.ts';
import type { JsonValue } from '../data/json_value.ts';
import type { PayloadTexts } from '../data/payload_text.ts';
import type { MapRun } from '../distributed_map/map_run.ts';
import type { StepFunctionsPorts } from '../ports.ts';
import type { Execution } from './execution.ts';
import type { ExecutionStore } from './execution_store.ts';

/** What the executions of one stand-in share. */
export interface Runtime {
  readonly ports: StepFunctionsPorts;
  readonly arns: Arns;
  readonly texts: PayloadTexts;
  readonly store: ExecutionStore;
  readonly startChild: (mapRun: MapRun, input: JsonValue) => Execution;
}
