import type {
  EventDetails,
  Execution,
  ExecutionStatus,
  RecordedEvent,
} from '../execution/execution.ts';

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
  /** Of an execution that FAILED or was ABORTED with one; one that TIMED_OUT has none. */
  readonly error?: string;
  readonly cause?: string;
  readonly mapRunArn?: string;
  readonly redriveCount: number;
  readonly redriveStatus: string;
  readonly redriveStatusReason: string;
}

export function describeExecution(execution: Execution): ExecutionDescription {
  const { output, error, cause, mapRunArn } = execution;
  return {
    ...identityOf(execution),
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
  const { mapRunArn } = execution;
  return {
    ...identityOf(execution),
    ...(mapRunArn === undefined ? {} : { mapRunArn }),
    redriveCount: 0,
  };
}

function identityOf({ arn, machine, name, status, startDate, stopDate }: Execution) {
  return {
    executionArn: arn,
    stateMachineArn: machine.arn,
    name,
    status,
    ...datesOf(startDate, stopDate),
  };
}

export function datesOf(
  startDate: Date,
  stopDate: Date | undefined,
): { readonly startDate: number; readonly stopDate?: number } {
  return {
    startDate: epochSeconds(startDate),
    ...(stopDate === undefined ? {} : { stopDate: epochSeconds(stopDate) }),
  };
}

/** Seconds since 1970, as AWS JSON 1.0 gives a time. */
export function epochSeconds(date: Date): number {
  return date.getTime() / 1_000;
}

/** What is said about redriving. Nothing can be redriven here: a failed execution is started again. */
export function redriveView(status: ExecutionStatus): {
  readonly redriveCount: number;
  readonly redriveStatus: 'NOT_REDRIVABLE';
  readonly redriveStatusReason: string;
} {
  return {
    redriveCount: 0,
    redriveStatus: 'NOT_REDRIVABLE',
    redriveStatusReason:
      status === 'RUNNING' || status === 'SUCCEEDED'
        ? `Execution is ${status} and cannot be redriven`
        : 'The embedded Step Functions cannot redrive an execution',
  };
}

const EXECUTION_DATA = ['input', 'output', 'parameters'];

/**
 * An event as GetExecutionHistory answers with it.
 *
 * @param includeData false leaves out inputs, outputs and parameters.
 */
export function historyEvent(
  { id, previousEventId, at, type, details }: RecordedEvent,
  includeData: boolean,
): object {
  return {
    id,
    previousEventId,
    timestamp: epochSeconds(at),
    type,
    ...(details === undefined ? {} : { [detailsField(type)]: detailsOf(details, includeData) }),
  };
}

function detailsField(type: string): string {
  if (type.endsWith('StateEntered')) return 'stateEnteredEventDetails';
  if (type.endsWith('StateExited')) return 'stateExitedEventDetails';
  return `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`;
}

function detailsOf(details: EventDetails, includeData: boolean): object {
  const whole = { truncated: false };
  return {
    ...Object.fromEntries(
      Object.entries(details).filter(
        ([key, value]) => value !== undefined && (includeData || !EXECUTION_DATA.includes(key)),
      ),
    ),
    ...(includeData && details['input'] !== undefined ? { inputDetails: whole } : {}),
    ...(includeData && details['output'] !== undefined ? { outputDetails: whole } : {}),
  };
}
