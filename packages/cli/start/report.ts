import type { Screen } from '../command_line/screen.ts';
import { count, quantity } from '../command_line/text.ts';
import { usedTokens } from '../executions/execution_end.ts';
import type { StoredVectors } from './proof.ts';
import type { BatchesSummary, BatchLine, RealtimeSummary, TimeSpent } from './summary.ts';

const BATCHES_SHOWN = 20;

/** What a person types after a run that went well. */
export const NEXT_COMMANDS: readonly string[] = [
  '',
  'NEXT',
  '  npm start -- --serve                       # look inside such a stack',
  '  npx receipts estimate --data my_receipts/  # what your own receipts would cost',
  '  npx pulumi stack init dev                  # deploy it: README.md, "Deploy it"',
];

/** Names of resources' types that do not speak for themselves. */
const KINDS: Readonly<Record<string, string>> = {
  Function: 'function',
  LayerVersion: 'layer',
  MetricAlarm: 'alarm',
  LogGroup: 'log group',
  StateMachine: 'state machine',
};
const KINDS_SHOWN = 5;

/**
 * What has been deployed at AWS, by kind, most first: "40 alarms, 17 functions, … and 90 others".
 *
 * @param types Pulumi's: aws:lambda/function:Function.
 */
export function resourceKinds(types: readonly string[]): string[] {
  const ofAws = types.filter((type) => type.startsWith('aws:'));
  const kinds = [...Map.groupBy(ofAws, kindOf)]
    .map(([kind, { length }]) => ({ kind, length }))
    .sort((a, b) => b.length - a.length || (a.kind < b.kind ? -1 : 1));
  if (kinds.length === 0) return [];
  const others = kinds.slice(KINDS_SHOWN).reduce((sum, { length }) => sum + length, 0);
  const shown = kinds.slice(0, KINDS_SHOWN).map(({ kind, length }) => {
    return quantity(length, kind, kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`);
  });
  return [`  ${[...shown, ...(others === 0 ? [] : [`${count(others)} others`])].join(', ')}`];
}

function kindOf(type: string): string {
  const name = type.split(':').at(-1) ?? type;
  // RolePolicy → role policy
  return KINDS[name] ?? name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}

/** What a realtime execution has left on the stack, for people. */
export function reportRealtime(
  screen: Screen,
  { execution, deltas, compaction_runs: runs }: RealtimeSummary,
): void {
  if (execution === null) return;
  screen.line();
  screen.table([
    ['Deltas', `${count(deltas.keys.length)} in s3://${deltas.bucket}`],
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
  screen.heading('Vectors, and how many of a sample are found as their own nearest neighbour');
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
