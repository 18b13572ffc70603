import {
  DescribeExecutionCommand,
  type ExecutionListItem,
  ListExecutionsCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';

/** An execution of a workflow, as far as it has come. */
export interface ExecutionView {
  readonly name: string;
  readonly status: string;
  /** ISO 8601; null where AWS does not say. */
  readonly started_at: string | null;
  /** Null while it runs. */
  readonly stopped_at: string | null;
  /** Until its end, or until now. */
  readonly seconds: number;
  /** Why it did not succeed. */
  readonly error?: string;
  readonly cause?: string;
}

const UNHAPPY = new Set(['FAILED', 'TIMED_OUT', 'ABORTED']);

/** The newest executions of a state machine, newest first; the children of its Maps are none of them. */
export async function lastExecutions(
  sfn: SFNClient,
  stateMachineArn: string,
  most: number,
  now: Date,
): Promise<ExecutionView[]> {
  const { executions = [] } = await sfn.send(
    new ListExecutionsCommand({ stateMachineArn, maxResults: most }),
  );
  const views: ExecutionView[] = [];
  for (const execution of executions) {
    const unhappy = UNHAPPY.has(execution.status ?? '');
    views.push({ ...view(execution, now), ...(unhappy ? await failure(sfn, execution) : {}) });
  }
  return views;
}

function view({ name, status, startDate, stopDate }: ExecutionListItem, now: Date): ExecutionView {
  const started = startDate ?? now;
  return {
    name: name ?? '',
    status: status ?? 'UNKNOWN',
    started_at: startDate?.toISOString() ?? null,
    stopped_at: stopDate?.toISOString() ?? null,
    seconds: Math.max(0, ((stopDate ?? now).getTime() - started.getTime()) / 1_000),
  };
}

async function failure(
  sfn: SFNClient,
  { executionArn }: ExecutionListItem,
): Promise<Pick<ExecutionView, 'error' | 'cause'>> {
  const { error, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
  return {
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause: causeLine(cause) }),
  };
}

/** A cause in one line: of a summary how many failed, of a function's error its message, of any other text its first line. */
export function causeLine(cause: string): string {
  const { total, failed, errorMessage } = parsed(cause);
  const message =
    typeof total === 'number' && typeof failed === 'number'
      ? `${failed} of ${total} failed`
      : typeof errorMessage === 'string'
        ? errorMessage
        : cause.trimStart();
  return message.split('\n', 1)[0] ?? '';
}

function parsed(cause: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(cause);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
