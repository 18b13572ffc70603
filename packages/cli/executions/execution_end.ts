import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import { parseJson } from 'receipt-embedding/local_files';
import { z } from 'zod';
import {
  describeFailure,
  errorMessage,
  originalFailure,
} from '../../../simple_lambdas/runtime/failures.ts';
import type { Screen } from '../command_line/screen.ts';
import { count, dollars, duration, quantity } from '../command_line/text.ts';
import { failedItem } from './item_failures.ts';

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
  not_tried: z.int().default(0),
  stopped: z.string().nullable().default(null),
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
  refused: z.int().default(0),
  refusals: z.array(z.object({ id: z.string(), reason: z.string() })).default([]),
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
function causeText({ error, cause }: Failure): string | undefined {
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

type Row = readonly [string, string];

/** What came of an execution, for people. */
export function showEnd(screen: Screen, end: ExecutionEnd): void {
  const { status, seconds, summary, error } = end;
  screen.line();
  screen.table([
    ['Execution', `${status}${error === undefined ? '' : ` (${error})`} in ${duration(seconds)}`],
    ...(summary === undefined ? otherRows(end) : summaryRows(summary)),
  ]);
  if (summary === undefined) return;
  if (summary.workflow === 'realtime') {
    screen.lines(summary.refusals.map(({ id, reason }) => `  refused: ${id}: ${reason}`));
  }
  for (const failure of summary.failures) screen.failure(`  failed: ${failedItem(failure)}`);
  const unlisted = summary.failed - summary.failures.length;
  if (unlisted > 0) screen.failure(`  failed: ${count(unlisted)} more, see Results`);
}

const alreadyRunningSchema = z.object({
  status: z.literal('already_running'),
  running_execution: z.string(),
});

function otherRows(end: ExecutionEnd): Row[] {
  const { data: earlier } = alreadyRunningSchema.safeParse(end.output);
  if (earlier !== undefined) {
    return [['Did nothing', `another of its kind is running: ${earlier.running_execution}`]];
  }
  const cause = causeText(end);
  if (cause !== undefined) return [['Cause', cause]];
  return end.output === null ? [] : [['Output', JSON.stringify(end.output)]];
}

function summaryRows(summary: WorkflowSummary): Row[] {
  const { failures_by_reason: reasons, invalid_rows: invalid, results } = summary;
  const byReason = Object.entries(reasons).sort(([, a], [, b]) => b - a);
  return [
    ...workflowRows(summary),
    ...row(
      'Failures',
      byReason.map(([reason, number]) => `${count(number)} ${reason}`),
    ),
    ...row('Stopped', summary.stopped === null ? [] : [summary.stopped]),
    ...row('Unreadable', invalid === 0 ? [] : [`${quantity(invalid, 'row')} left out`]),
    ...row('Results', results === undefined ? [] : [`s3://${results.bucket}/${results.key}`]),
  ];
}

function workflowRows(summary: WorkflowSummary): Row[] {
  switch (summary.workflow) {
    case 'realtime':
      return [
        [
          'Receipts',
          `${count(summary.total)}: ${count(summary.succeeded)} embedded, ${count(summary.reused)} reused, ` +
            `${count(summary.skipped)} skipped, ${count(summary.failed)} failed`,
        ],
        ['Read', `${quantity(summary.lines, 'line')}, ${quantity(summary.words, 'word')}`],
        ['Vectors', `${count(summary.vectors)} written`],
        ...row(
          'Refused',
          summary.refused === 0
            ? []
            : [
                `${quantity(summary.refused, 'line or word', 'lines and words')}, which alone are FAILED`,
              ],
        ),
        ['OpenAI', `${quantity(summary.openai_requests, 'request')}, ${usedTokens(summary)}`],
      ];
    case 'batch-submit':
      return [
        [
          'Batches',
          `${count(summary.total)}: ${count(summary.submitted)} submitted, ${count(summary.dropped)} dropped, ` +
            `${count(summary.failed)} failed`,
        ],
        ['Receipts', `${count(summary.receipts)} planned`],
        [
          'Lines, words',
          `${count(summary.planned)} planned, ${count(summary.requested)} submitted`,
        ],
      ];
    case 'batch-poll':
      return [
        [
          'Batches',
          `${count(summary.total)}: ${count(summary.completed)} completed, ${count(summary.running)} running, ` +
            `${count(summary.failed)} failed`,
        ],
        [
          'Lines, words',
          `${count(summary.requested)}: ${count(summary.succeeded)} embedded, ` +
            `${count(summary.rows_failed)} refused, ${count(summary.released)} returned to NONE`,
        ],
        ['OpenAI', usedTokens(summary)],
      ];
  }
}

/** Tokens and what they cost at OpenAI, as far as that is known. */
export function usedTokens(used: {
  readonly prompt_tokens: number;
  readonly estimated_cost_usd: number | null;
}): string {
  const cost = used.estimated_cost_usd;
  const price = cost === null ? '' : ` (${dollars(cost)} at OpenAI's list price)`;
  return `${quantity(used.prompt_tokens, 'token')}${price}`;
}

function row(name: string, parts: readonly string[]): Row[] {
  return parts.length === 0 ? [] : [[name, parts.join(', ')]];
}

/**
 * What the workflow has left to do, and the commands that do it.
 *
 * @param stack the Pulumi stack, where one was named.
 */
export function nextLines({ summary }: ExecutionEnd, stack?: string): string[] {
  if (summary === undefined) return [];
  const receipts = (command: string): string =>
    `  npx receipts ${command}${stack === undefined ? '' : ` --stack ${stack}`}`;
  const redo = ['Refused lines and words are FAILED. To try them again:', receipts('redo failed')];
  const search = ['Search them:', receipts('search "oat milk"')];
  switch (summary.workflow) {
    case 'realtime': {
      const { last_evaluated_key: key, failed, refused, total } = summary;
      const next = [
        ...(key === null
          ? []
          : [`More receipts are left. Go on with --exclusive-start-key '${JSON.stringify(key)}'`]),
        ...(failed === 0
          ? []
          : ['To try what failed again:', receipts('execute realtime --filter NONE --wait')]),
        ...(refused === 0 ? [] : redo),
      ];
      return next.length > 0 || total === 0 ? next : search;
    }
    case 'batch-submit':
      if (summary.more) return ['More is left to submit. Run it again'];
      return summary.submitted === 0
        ? []
        : ['To fetch what has ended:', receipts('execute batch-poll --wait')];
    case 'batch-poll': {
      if (summary.more || summary.running > 0) {
        return ['Not all batches have ended. Run it again later'];
      }
      const next = [
        ...(summary.rows_failed === 0 ? [] : redo),
        ...(summary.released === 0
          ? []
          : [
              'To submit again what was returned to NONE:',
              receipts('execute batch-submit --wait'),
            ]),
      ];
      return next.length > 0 || summary.succeeded === 0 ? next : search;
    }
  }
}
