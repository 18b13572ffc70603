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

const NOTHING_TO_DO: Readonly<Record<WorkflowSummary['workflow'], string>> = {
  realtime: 'no receipt is left that it was to embed',
  'batch-submit': 'no line or word waits for a batch',
  'batch-poll': 'no batch is under way',
};

function summaryRows(summary: WorkflowSummary): Row[] {
  const { failures_by_reason: reasons, invalid_rows: invalid, failed, results } = summary;
  const byReason = Object.entries(reasons).sort(([, a], [, b]) => b - a);
  return [
    ...(summary.total === 0
      ? [['Nothing to do', NOTHING_TO_DO[summary.workflow]] as const]
      : workflowRows(summary)),
    ...row(
      'Failures',
      byReason.map(([reason, number]) => `${count(number)} ${reason}`),
    ),
    ...row('Stopped', summary.stopped === null ? [] : [summary.stopped]),
    ...row('Unreadable', invalid === 0 ? [] : [`${quantity(invalid, 'row')} left out`]),
    // What went well is in the table; --json names the file all the same.
    ...row(
      'Results',
      results === undefined || failed === 0 ? [] : [`s3://${results.bucket}/${results.key}`],
    ),
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

/** What the execution was started with, as far as the commands that come next are to say it again. */
interface StartedWith {
  /** The Pulumi stack, where one was named. */
  readonly stack?: string | undefined;
  /** Options of `receipts execute`, as they were typed. */
  readonly options?: string;
}

/** What the workflow has left to do, and the commands that do it. */
export function nextLines(
  { summary }: ExecutionEnd,
  { stack, options = '' }: StartedWith = {},
): string[] {
  const receipts = (command: string): string =>
    `  npx receipts ${command}${stack === undefined ? '' : ` --stack ${stack}`}`;
  const execute = (workflow: string, more = ''): string =>
    receipts(`execute ${workflow}${options}${more} --wait`);
  if (summary === undefined) return [];
  const redo = ['Refused lines and words are FAILED. To try them again:', receipts('redo failed')];
  const search = ['NEXT', receipts('search "oat milk"')];
  switch (summary.workflow) {
    case 'realtime': {
      const { last_evaluated_key: key, failed, refused, total } = summary;
      const next = [
        ...(failed === 0
          ? []
          : ['To try what failed again:', receipts('execute realtime --filter NONE --wait')]),
        ...(refused === 0 ? [] : redo),
        ...(key === null
          ? []
          : [
              'More receipts are left. To go on:',
              execute('realtime', ` --exclusive-start-key '${JSON.stringify(key)}'`),
            ]),
      ];
      return next.length > 0 || total === 0 ? next : search;
    }
    case 'batch-submit': {
      const more = summary.more
        ? ['More is left to submit. To go on:', execute('batch-submit')]
        : [];
      const fetch = ['To fetch what has ended:', receipts('execute batch-poll --wait')];
      return [...more, ...(summary.submitted === 0 ? [] : fetch)];
    }
    case 'batch-poll': {
      if (summary.more || summary.running > 0) {
        return ['Not all batches have ended. To look again:', execute('batch-poll')];
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
