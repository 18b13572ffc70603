import { errorMessage } from '../../../simple_lambdas/runtime/failures.ts';
import { dollars } from '../command_line/dollars.ts';
import { duration } from '../command_line/duration.ts';
import { count, quantity } from '../command_line/quantity.ts';
import type { Screen } from '../command_line/screen.ts';
import { failedItem } from './child_failures.ts';
import type { ExecutionEnd, WorkflowSummary } from './execution_end.ts';

type Row = readonly [string, string];

/** What came of an execution, for people. */
export function showEnd(screen: Screen, end: ExecutionEnd): void {
  const { status, seconds, summary, error, cause, output } = end;
  screen.line();
  screen.table([
    ['Execution', `${status}${error === undefined ? '' : ` (${error})`} in ${duration(seconds)}`],
    ...(summary === undefined ? otherRows(cause, output) : summaryRows(summary)),
  ]);
  if (summary === undefined) return;
  for (const failure of summary.failures) screen.line(`  failed: ${failedItem(failure)}`);
  const unlisted = summary.failed - summary.failures.length;
  if (unlisted > 0) screen.line(`  failed: ${count(unlisted)} more, see Results`);
  for (const line of whatIsLeft(summary)) screen.line(line);
}

function otherRows(cause: string | undefined, output: unknown): Row[] {
  if (cause !== undefined) return [['Cause', errorMessage(cause)]];
  return output === null ? [] : [['Output', JSON.stringify(output)]];
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
        ['OpenAI', `${quantity(summary.openai_requests, 'request')}, ${tokens(summary)}`],
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
            `${count(summary.rows_failed)} refused, ${count(summary.released)} given back`,
        ],
        ['OpenAI', tokens(summary)],
      ];
  }
}

function tokens(used: {
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

function whatIsLeft(summary: WorkflowSummary): string[] {
  switch (summary.workflow) {
    case 'realtime': {
      const key = summary.last_evaluated_key;
      return key === null
        ? []
        : [`More receipts are left. Go on with --exclusive-start-key '${JSON.stringify(key)}'`];
    }
    case 'batch-submit':
      return summary.more ? ['More is left to submit. Run it again'] : [];
    case 'batch-poll':
      return summary.more || summary.running > 0
        ? ['Not all batches have ended. Run it again later']
        : [];
  }
}
