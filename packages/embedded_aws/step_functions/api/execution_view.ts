import type { Execution, ExecutionStatus } from '../execution/execution.ts';

/** Seconds since 1970, as AWS JSON 1.0 gives a time. */
export function epochSeconds(date: Date): number {
  return date.getTime() / 1_000;
}

/** What is said about redriving. Nothing can be redriven here: a failed execution is started again. */
export function redriveView(status: ExecutionStatus): {
  redriveCount: number;
  redriveStatus: 'NOT_REDRIVABLE';
  redriveStatusReason: string;
} {
  return {
    redriveCount: 0,
    redriveStatus: 'NOT_REDRIVABLE',
    redriveStatusReason:
      status === 'RUNNING' || status === 'SUCCEEDED'
        ? `Execution is ${status} and cannot be redriven`
        : 'The local Step Functions cannot redrive an execution',
  };
}

/** The answer of DescribeExecution. */
export interface ExecutionDescription {
  readonly executionArn: string;
  readonly stateMachineArn: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  /** Seconds since 1970. */
  readonly startDate: number;
  /** Seconds since 1970. */
  readonly stopDate?: number;
  readonly input: string;
  readonly inputDetails: { readonly included: boolean };
  readonly output?: string;
  readonly outputDetails?: { readonly included: boolean };
  readonly error?: string;
  readonly cause?: string;
  readonly mapRunArn?: string;
  readonly redriveCount: number;
  readonly redriveStatus: string;
  readonly redriveStatusReason: string;
}

export function describeExecution(execution: Execution): ExecutionDescription {
  const { output, error, cause, stopDate, mapRunArn } = execution;
  return {
    executionArn: execution.arn,
    stateMachineArn: execution.machine.arn,
    name: execution.name,
    status: execution.status,
    startDate: epochSeconds(execution.startDate),
    ...(stopDate === undefined ? {} : { stopDate: epochSeconds(stopDate) }),
    input: execution.inputText,
    inputDetails: { included: true },
    ...(output === undefined ? {} : { output, outputDetails: { included: true } }),
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
    ...(mapRunArn === undefined ? {} : { mapRunArn }),
    ...redriveView(execution.status),
  };
}

/** One entry of ListExecutions. */
export function listedExecution(execution: Execution): object {
  const { stopDate, mapRunArn } = execution;
  return {
    executionArn: execution.arn,
    stateMachineArn: execution.machine.arn,
    name: execution.name,
    status: execution.status,
    startDate: epochSeconds(execution.startDate),
    ...(stopDate === undefined ? {} : { stopDate: epochSeconds(stopDate) }),
    ...(mapRunArn === undefined ? {} : { mapRunArn }),
    redriveCount: 0,
  };
}
