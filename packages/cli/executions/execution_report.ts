import { z } from 'zod';
import type { Screen } from '../command_line/screen.ts';
import { count, dollars, duration, quantity } from '../command_line/text.ts';
import { causeText, type ExecutionEnd, type WorkflowSummary } from './execution_end.ts';
import { failedItem } from './item_failures.ts';

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
