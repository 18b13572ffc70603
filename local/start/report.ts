import type { NearestLines } from './nearest_lines.ts';
import type { Screen } from './screen.ts';
import type { StartSummary } from './summary.ts';
import type { TimeSpent } from './time_spent.ts';

const FAILURES_SHOWN = 5;

const count = (value: number): string => value.toLocaleString('en-US');

/** What came of a run, for people. */
export function reportRun(screen: Screen, summary: StartSummary): void {
  const { execution, receipts, openai, deltas, compaction_runs: runs, statuses } = summary;
  const output = execution.output;
  screen.line();
  screen.table([
    ['Execution', `${execution.status} in ${summary.seconds.toFixed(1)} s  ${execution.arn}`],
    [
      'Receipts',
      `${count(receipts.succeeded)} embedded, ${count(receipts.reused)} reused, ` +
        `${count(receipts.skipped)} skipped, ${count(receipts.failed)} failed`,
    ],
    [
      'Read',
      `${count(output?.lines ?? 0)} lines, ${count(output?.words ?? 0)} words` +
        (output === null || output.invalid_rows === 0
          ? ''
          : `, ${count(output.invalid_rows)} rows that can not be read`),
    ],
    ['Vectors', `${count(output?.vectors ?? 0)} written`],
    [
      'OpenAI',
      `${count(openai.requests)} requests, ${count(openai.inputs)} inputs, ${count(openai.tokens)} tokens` +
        (output?.estimated_cost_usd == null
          ? ''
          : ` (${dollars(output.estimated_cost_usd)} at OpenAI's list price)`),
    ],
    [
      'Deltas',
      `${count(deltas.keys.length)} in s3://${deltas.bucket}/{lines,words}/delta/{run_id}/delta.tar.gz`,
    ],
    ['COMPACTION_RUN', `${count(runs.length)} records, under GSI1PK = RUNS`],
    ['Line statuses', statusText(statuses.lines)],
    ['Word statuses', statusText(statuses.words)],
    ['Time went to', shares(summary.time_spent)],
  ]);
  for (const failure of (output?.failures ?? []).slice(0, FAILURES_SHOWN)) {
    screen.line(
      `  failed: ${failure.image_id} ${failure.receipt_id}: ${failure.error}: ${failure.cause}`,
    );
  }
  if (output === null && execution.error !== undefined) {
    screen.line(`  ${execution.error}: ${execution.cause ?? ''}`);
  }
}

/** The proof that the vectors mean something. */
export function reportNearestLines(screen: Screen, found: readonly NearestLines[]): void {
  screen.line();
  screen.line('What the vectors know: the lines in the deltas that are nearest to a phrase');
  for (const { phrase, lines } of found) {
    screen.line(`  "${phrase}"`);
    for (const { text, similarity } of lines) screen.line(`    ${similarity.toFixed(2)}  ${text}`);
  }
}

function statusText(statuses: Readonly<Record<string, number>>): string {
  const entries = Object.entries(statuses).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0
    ? 'none'
    : entries.map(([status, number]) => `${count(number)} ${status}`).join(', ');
}

function shares({ functions, stand_ins, orchestration }: TimeSpent): string {
  const total = functions + stand_ins + orchestration;
  if (total <= 0) return 'nothing';
  const share = (part: number): string => `${Math.round((100 * part) / total)} %`;
  return `functions ${share(functions)}, stand-ins ${share(stand_ins)}, orchestration ${share(orchestration)}`;
}

function dollars(amount: number): string {
  return `$${amount.toFixed(amount < 0.01 ? 6 : 2)}`;
}
