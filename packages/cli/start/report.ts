import { wrapped } from '../command_line/fitting.ts';
import type { Screen } from '../command_line/screen.ts';
import { count, quantity } from '../command_line/text.ts';
import { usedTokens } from '../executions/execution_report.ts';
import type { BundleSize } from '../build.ts';
import type { StoredVectors } from './proof.ts';
import type { BatchesSummary, BatchLine, RealtimeSummary, TimeSpent } from './summary.ts';

const BATCHES_SHOWN = 20;
/** Of the terminal that reports are made for, and of logs. */
const REPORT_COLUMNS = 80;

/** What a person types after a run that went well. */
export const NEXT_COMMANDS: readonly string[] = [
  '',
  'NEXT',
  '  npm start -- --serve                       # search it, and look inside',
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
  QueryDefinition: 'saved query',
  VectorsIndex: 'vector index',
  VectorsVectorBucket: 'vector bucket',
};
/** Of a bucket: each is a resource of Pulumi's, and none of them says more. */
const BUCKET_SETTING = /^Bucket[A-Z]\w*(?<!V2)$/;

/**
 * What has been deployed, by kind, most first, in rows of 80 columns.
 *
 * @param types Pulumi's: aws:lambda/function:Function.
 */
export function resourceKinds(types: readonly string[]): string[] {
  const kinds = [
    ...Map.groupBy(
      types.filter((type) => type.startsWith('aws:')),
      kindOf,
    ),
  ]
    .map(([kind, { length }]) => ({ kind, length }))
    .sort((a, b) => b.length - a.length || (a.kind < b.kind ? -1 : 1));
  const ofPulumi = types.filter((type) => !type.startsWith('aws:')).length;
  const told = [
    ...kinds.map(({ kind, length }) => quantity(length, kind, manyOf(kind))),
    ...(ofPulumi === 0 ? [] : [`${quantity(ofPulumi, 'component')} of Pulumi's that group them`]),
  ];
  return told.length === 0 ? [] : wrapped(`  ${told.join(', ')}`, REPORT_COLUMNS);
}

function manyOf(kind: string): string {
  if (kind.endsWith('y')) return `${kind.slice(0, -1)}ies`;
  return kind.endsWith('x') ? `${kind}es` : `${kind}s`;
}

/** The layer, and the functions from the smallest to the largest, as they are uploaded. */
export function bundleLine(sizes: readonly Pick<BundleSize, 'what' | 'zipped'>[]): string {
  const layer = sizes.find(({ what }) => what === 'layer')?.zipped ?? 0;
  const functions = sizes.filter(({ what }) => what !== 'layer').map(({ zipped }) => zipped);
  const [least, most] = [Math.min(...functions), Math.max(...functions)].map((bytes) =>
    Math.round(bytes / 1_000),
  );
  return `layer ${(layer / 1_000_000).toFixed(1)} MB, ${quantity(functions.length, 'handler')} of ${least} to ${most} kB, zipped`;
}

function kindOf(type: string): string {
  const name = type.split(':').at(-1) ?? type;
  if (BUCKET_SETTING.test(name)) return 'bucket setting';
  // RolePolicy → role policy
  return KINDS[name] ?? name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}

/** What a realtime execution has left on the stack, for people. */
export function reportRealtime(
  screen: Screen,
  { execution, openai, deltas, compaction_runs: runs }: RealtimeSummary,
): void {
  if (execution === null) return;
  screen.line();
  const vectors = execution.output?.vectors ?? 0;
  screen.table([
    ...(openai.inputs === 0 || openai.inputs === vectors
      ? []
      : [
          [
            'Inputs',
            `${count(openai.inputs)} for ${quantity(vectors, 'vector')}: equal texts of a receipt are sent once`,
          ] as const,
        ]),
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
  const { type, status, requested, succeeded, failed, released, reason } = batch;
  const parts = [
    `${count(succeeded)} of ${count(requested)} embedded`,
    ...(failed === 0 ? [] : [`${count(failed)} refused`]),
    ...(released === 0 ? [] : [`${count(released)} returned to NONE`]),
  ];
  return [type, `${status}: ${parts.join(', ')}${reason === undefined ? '' : ` (${reason})`}`];
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
