import type { Screen } from '../command_line/screen.ts';
import { count, quantity } from '../command_line/text.ts';
import { usedTokens } from '../executions/execution_end.ts';
import type { StoredVectors } from './proof.ts';
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

/** What came of each batch. */
export function reportBatches(
  screen: Screen,
  {
    batch_executions: executions,
    batch_seconds,
    batch_openai,
    batches,
    batch_refusals: refusals,
  }: BatchesSummary,
): void {
  const failed = executions.filter(({ status }) => status !== 'SUCCEEDED');
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
  ]);
  screen.lines(refusals.map(({ id, reason }) => `  refused: ${id}: ${reason}`));
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

/** What the log has, what each store has of it, and the proof that it finds that. */
export function reportStores(screen: Screen, { log, stores }: StoredVectors): void {
  screen.line();
  screen.line('Vectors, and how many of a sample each store finds as their own nearest neighbour');
  screen.table([
    ['log', `${quantity(log.runs, 'run')}, ${quantity(log.deltas, 'delta')}`],
    ...Object.entries(stores).map(
      ([name, { lines, words, asked, own_nearest }]): [string, string] => [
        name,
        `${quantity(lines, 'line')}, ${quantity(words, 'word')}; ${count(own_nearest)} of ${count(asked)} found`,
      ],
    ),
  ]);
}
