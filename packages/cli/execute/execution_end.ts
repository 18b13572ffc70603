import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import { z } from 'zod';

const failureSchema = z.object({
  image_id: z.string().optional(),
  receipt_id: z.int().optional(),
  batch_id: z.string().optional(),
  error: z.string(),
  cause: z.string(),
});

const common = {
  total: z.int(),
  failed: z.int(),
  failures: z.array(failureSchema),
  failures_by_reason: z.record(z.string(), z.int()).default({}),
  invalid_rows: z.int(),
  results: z.object({ bucket: z.string(), key: z.string() }).optional(),
};

const realtimeSchema = z.object({
  ...common,
  succeeded: z.int(),
  reused: z.int(),
  skipped: z.int(),
  lines: z.int(),
  words: z.int(),
  vectors: z.int(),
  openai_requests: z.int(),
  prompt_tokens: z.int(),
  estimated_cost_usd: z.number().nullable(),
  last_evaluated_key: z.object({ image_id: z.string(), receipt_id: z.int() }).nullable(),
});

const submitSchema = z.object({
  ...common,
  submitted: z.int(),
  dropped: z.int(),
  planned: z.int(),
  requested: z.int(),
  receipts: z.int(),
  more: z.boolean(),
});

const pollSchema = z.object({
  ...common,
  completed: z.int(),
  running: z.int(),
  requested: z.int(),
  succeeded: z.int(),
  rows_failed: z.int(),
  released: z.int(),
  prompt_tokens: z.int(),
  estimated_cost_usd: z.number().nullable(),
  more: z.boolean(),
});

const summarySchema = z.union([
  realtimeSchema.transform((summary) => ({ workflow: 'realtime' as const, ...summary })),
  submitSchema.transform((summary) => ({ workflow: 'batch-submit' as const, ...summary })),
  pollSchema.transform((summary) => ({ workflow: 'batch-poll' as const, ...summary })),
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
  /** The output of one that succeeded; of one that failed with TooManyFailed, the summary that is its cause. */
  readonly output: unknown;
  /** The output, where it is a summary. */
  readonly summary: WorkflowSummary | undefined;
  readonly error: string | undefined;
  /** Undefined when it is the output. */
  readonly cause: string | undefined;
}

export function executionEnd(execution: DescribeExecutionCommandOutput): ExecutionEnd {
  const { executionArn = '', status = 'UNKNOWN', startDate, stopDate, error, cause } = execution;
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

function elapsed(from: Date | undefined, to: Date | undefined): number {
  return from === undefined || to === undefined ? 0 : (to.getTime() - from.getTime()) / 1_000;
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null') as unknown;
  } catch {
    return null;
  }
}
