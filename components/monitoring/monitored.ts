import type * as pulumi from '@pulumi/pulumi';
import type { FunctionName } from '../function_names.ts';

/** A function, as far as it is watched. */
export interface MonitoredFunction {
  readonly functionName: string;
  readonly logGroupName: pulumi.Input<string>;
  /** Seconds. */
  readonly timeout: number;
}

/** The functions that a stack has. */
export type MonitoredFunctions = Readonly<Partial<Record<FunctionName, MonitoredFunction>>>;

/** The functions that read rows of the table one by one, and count those that they can't read. */
export const ROW_READERS = [
  'find_receipts_realtime',
  'process_receipt_realtime',
  'plan_batches',
  'list_pending_batches',
] as const satisfies readonly FunctionName[];

/** A workflow, as far as it is watched. */
export interface MonitoredWorkflow {
  /** In kebab case. */
  readonly name: string;
  readonly arn: pulumi.Input<string>;
}
