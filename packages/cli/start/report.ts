import type { Screen } from '../command_line/screen.ts';
import { count, dollars, quantity } from '../command_line/text.ts';
import type { NearestLines, OwnNeighbours } from './proof.ts';
import type {
  AllStatuses,
  BatchesSummary,
  BatchLine,
  RealtimeExecution,
  RealtimeSummary,
} from './summary.ts';
import type { TimeSpent } from './time_spent.ts';

const FAILURES_SHOWN = 5;
const BATCHES_SHOWN = 20;

/** What came of a realtime execution, for people. */
export function reportRun(
  screen: Screen,
  { receipts, openai, deltas, compaction_runs: runs }: RealtimeSummary,
  execution: RealtimeExecution,
): void {
  const { output } = execution;
  screen.line();
  screen.table([
    ['Realtime', `${execution.status} in ${execution.seconds.toFixed(1)} s  ${execution.arn}`],
    [
      'Receipts',
      `${count(receipts.succeeded)} embedded, ${count(receipts.reused)} reused, ` +
        `${count(receipts.skipped)} skipped, ${count(receipts.failed)} failed`,
    ],
    [
      'Read',
      `${quantity(output?.lines ?? 0, 'line')}, ${quantity(output?.words ?? 0, 'word')}` +
        (output === null || output.invalid_rows === 0
          ? ''
          : `, ${quantity(output.invalid_rows, 'row')} that can not be read`),
    ],
    ['Vectors', `${count(output?.vectors ?? 0)} written`],
    [
      'OpenAI',
      `${quantity(openai.requests, 'request')}, ${quantity(openai.inputs, 'input')}, ${quantity(openai.tokens, 'token')}` +
        price(output?.estimated_cost_usd ?? null),
    ],
    [
      'Deltas',
      `${count(deltas.keys.length)} in s3://${deltas.bucket}/{lines,words}/delta/{run_id}/delta.tar.gz`,
    ],
    ['COMPACTION_RUN', `${quantity(runs.length, 'record')}, under GSI1PK = RUNS`],
    ['Time went to', shares(execution.time_spent)],
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

/** What came of the batches, for people. */
export function reportBatches(
  screen: Screen,
  { batch_executions: executions, batch_seconds, batch_openai, batches, pinecone }: BatchesSummary,
): void {
  const failed = executions.filter(({ status }) => status !== 'SUCCEEDED');
  const vectors = Object.entries(pinecone.namespaces).sort(([a], [b]) => (a < b ? -1 : 1));
  screen.line();
  screen.table([
    [
      'Batch path',
      `${quantity(executions.length, 'execution')} in ${batch_seconds.toFixed(1)} s, ${count(failed.length)} failed`,
    ],
    ...batches.slice(0, BATCHES_SHOWN).map(batchRow),
    ...(batches.length <= BATCHES_SHOWN
      ? []
      : [['…', `and ${count(batches.length - BATCHES_SHOWN)} more`] as const]),
    [
      'OpenAI',
      `${quantity(batch_openai.tokens, 'token')}${price(batch_openai.estimated_cost_usd)}`,
    ],
    [
      'Pinecone',
      (vectors.length === 0
        ? 'no vectors'
        : vectors.map(([name, size]) => `${quantity(size, 'vector')} in ${name}`).join(', ')) +
        `, ${quantity(pinecone.requests, 'request')}`,
    ],
  ]);
  for (const { arn, status, error, cause } of failed) {
    screen.line(`  ${status}: ${arn}: ${error ?? 'no reason'}: ${cause ?? ''}`);
  }
}

function batchRow(batch: BatchLine): readonly [string, string] {
  const { id, type, status, requested, succeeded, failed, released, reason } = batch;
  return [
    type,
    `${status}  ${count(requested)} requested, ${count(succeeded)} embedded, ` +
      `${count(failed)} refused, ${count(released)} given back  ${id}` +
      (reason === undefined ? '' : `  ${reason}`),
  ];
}

/** How all lines and words stand now. */
export function reportStatuses(screen: Screen, { lines, words }: AllStatuses): void {
  screen.line();
  screen.table([
    ['Line statuses', statusText(lines)],
    ['Word statuses', statusText(words)],
  ]);
}

/** The proof that Pinecone finds what was put into it. */
export function reportNeighbours(screen: Screen, { asked, found }: OwnNeighbours): void {
  screen.line();
  screen.line(
    `Pinecone finds ${count(found)} of ${count(asked)} vectors as their own nearest neighbour`,
  );
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

function price(estimatedCostUsd: number | null): string {
  return estimatedCostUsd === null ? '' : ` (${dollars(estimatedCostUsd)} at OpenAI's list price)`;
}
