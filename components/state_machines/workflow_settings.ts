import type { EXECUTION_FILES } from 'receipt-embedding/object_keys';
import type { DeclaredFunction, StoreName } from '../../simple_lambdas/runtime/declaration.ts';

/** What every workflow's state machine is made of. */
export interface StateMachineSettings {
  /** The ARN of a function. */
  readonly functionArn: (declaration: DeclaredFunction) => string;
  /** The bucket of the executions' files. */
  readonly bucket: string;
  /** The vector stores of the stack. */
  readonly stores: readonly StoreName[];
  /** Receipts, or batches, at a time. */
  readonly maxConcurrency: number;
  /** An execution fails when more of its receipts, or batches, than these percent failed. */
  readonly toleratedFailurePercentage: number;
}

/** A workflow, by the name of its executions' files. */
export type WorkflowName = keyof typeof EXECUTION_FILES;

const DAY = 24 * 60 * 60;

/**
 * How long an execution may take, seconds: several times what the largest takes, so that one that hangs ends (and an alarm
 * says so) before it has cost much.
 */
export const EXECUTION_TIMEOUT: Readonly<Record<WorkflowName, number>> = {
  /** A million receipts at ten a time, some three seconds each, take three and a half days. */
  realtime: 7 * DAY,
  /** A hundred batches at five a time, each for Lambda's 15 minutes at most, take five hours. */
  batch_submit: DAY,
  /** 250 batches at five a time, some 15 minutes each, take half a day. */
  batch_poll: DAY,
};
