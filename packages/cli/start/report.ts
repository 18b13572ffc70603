import type { Screen } from '../command_line/screen.ts';
import { count, quantity } from '../command_line/text.ts';
import { usedTokens } from '../executions/execution_end.ts';
import type { NearestLines, OwnNeighbours } from './proof.ts';
import type { BatchesSummary, BatchLine, RealtimeSummary, TimeSpent } from './summary.ts';

const BATCHES_SHOWN = 20;

/** What a realtime execution has left on the stack, for people. */
export function reportRealtime(
  screen: Screen,
  { execution, deltas, compaction_runs: runs }: RealtimeSummary,
): void {
  if (execution === null) return;
  screen.line();
  screen.table([
    [
      'Deltas',
      `${count(deltas.keys.length)} in s3://${deltas.bucket}/{lines,words}/delta/{run_id}/delta.tar.gz`,
    ],
    ['COMPACTION_RUN', `${quantity(runs.length, 'record')}, under GSI1PK = RUNS`],
    ['Time went to', shares(execution.time_spent)],
  ]);
}

function shares({ functions, stand_ins, orchestration }: TimeSpent): string {
  const total = functions + stand_ins + orchestration;
  if (total <= 0) return 'nothing';
  const share = (part: number): string => `${Math.round((100 * part) / total)} %`;
  return `functions ${share(functions)}, stand-ins ${share(stand_ins)}, orchestration ${share(orchestration)}`;
}

/** What came of each batch, and what is in Pinecone. */
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
      usedTokens({
        prompt_tokens: batch_openai.tokens,
        estimated_cost_usd: batch_openai.estimated_cost_usd,
      }),
    ],
    [
      'Pinecone',
      (vectors.length === 0
        ? 'no vectors'
        : vectors.map(([name, size]) => `${quantity(size, 'vector')} in ${name}`).join(', ')) +
        `, ${quantity(pinecone.requests, 'request')}`,
    ],
  ]);
}

function batchRow(batch: BatchLine): readonly [string, string] {
  const { id, type, status, requested, succeeded, failed, released, reason } = batch;
  return [
    type,
    `${status}  ${count(requested)} requested, ${count(succeeded)} embedded, ` +
      `${count(failed)} refused, ${count(released)} returned to NONE  ${id}` +
      (reason === undefined ? '' : `  ${reason}`),
  ];
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
    screen.lines(lines.map(({ text, similarity }) => `    ${similarity.toFixed(2)}  ${text}`));
  }
}
