import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import { parseJson } from 'receipt-embedding/local_files';
import { z } from 'zod';
import {
  describeFailure,
  errorMessage,
  originalFailure,
} from '../../../simple_lambdas/runtime/failures.ts';
import {
  pollSummarySchema,
  realtimeSummarySchema,
  submitSummarySchema,
} from '../../../simple_lambdas/summarize_execution/summary_schemas.ts';

const summarySchema = z.union([
  realtimeSummarySchema.transform((summary) => ({ workflow: 'realtime' as const, ...summary })),
  submitSummarySchema.transform((summary) => ({ workflow: 'batch-submit' as const, ...summary })),
  pollSummarySchema.transform((summary) => ({ workflow: 'batch-poll' as const, ...summary })),
]);

/** A workflow's own summary of what it did. */
export type WorkflowSummary = z.output<typeof summarySchema>;

/** How an execution ended. */
export interface ExecutionEnd {
  readonly executionArn: string;
  readonly status: string;
  readonly seconds: number;
  readonly startDate: Date | undefined;
  readonly stopDate: Date | undefined;
  /** The output of one that succeeded; of one that failed with TooManyFailed or StoppedEarly, the summary that is its cause. */
  readonly output: unknown;
  /** The output, where it is a summary. */
  readonly summary: WorkflowSummary | undefined;
  readonly error: string | undefined;
  /** Undefined when it is the output. */
  readonly cause: string | undefined;
}

export function executionEnd(execution: DescribeExecutionCommandOutput): ExecutionEnd {
  const { executionArn = '', status = 'UNKNOWN', startDate, stopDate } = execution;
  const { error, cause } = executionFailure(execution);
  const output = parse(execution.output ?? cause);
  const summary = summarySchema.safeParse(output).data;
  const hasOutput = execution.output !== undefined || summary !== undefined;
  return {
    executionArn,
    status,
    seconds: elapsed(startDate, stopDate),
    startDate,
    stopDate,
    output: hasOutput ? output : null,
    summary,
    error,
    cause: hasOutput ? undefined : cause,
  };
}

interface Failure {
  readonly error: string | undefined;
  readonly cause: string | undefined;
}

/** Why an execution failed: the error that its workflow caught and passed on, where it did. */
export function executionFailure({ error, cause }: DescribeExecutionCommandOutput): Failure {
  return error === undefined || cause === undefined
    ? { error, cause }
    : originalFailure({ error, cause });
}

/** A cause in words: a timeout has none of its own, a function's is JSON. */
export function causeText({ error, cause }: Failure): string | undefined {
  if (cause === '' && error !== undefined) return describeFailure({ error, cause }).cause;
  return cause === undefined ? undefined : errorMessage(cause);
}

const countsSchema = z.object({
  total: z.int(),
  failed: z.int(),
  stopped: z.string().nullable().default(null),
});

/** The same in one line: of a summary how many failed, of a function's error its message, of any other text its first line. */
export function failureLine(execution: DescribeExecutionCommandOutput): Failure {
  const failure = executionFailure(execution);
  const counts = countsSchema.safeParse(parse(failure.cause)).data;
  const text =
    counts === undefined
      ? causeText(failure)?.trimStart()
      : `${counts.failed} of ${counts.total} failed${counts.stopped === null ? '' : `; ${counts.stopped}`}`;
  return { error: failure.error, cause: text?.split('\n', 1)[0] };
}

function elapsed(from: Date | undefined, to: Date | undefined): number {
  return from === undefined || to === undefined ? 0 : (to.getTime() - from.getTime()) / 1_000;
}

function parse(text: string | undefined): unknown {
  return parseJson(text ?? 'null') ?? null;
}
