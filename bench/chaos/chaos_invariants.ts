import { type BatchSummary, isEnded } from 'receipt-embedding/entities/batch';
import { batchProblems, isVectorOf } from '../../tests/support/batch_invariants.ts';
import { doubledContents, wrongVectors } from '../../tests/support/invariants.ts';
import type { BatchStack, EntityRow } from '../../tests/support/batch_stack.ts';
import { storedRuns, type StoredVector } from '../../tests/support/stored_vectors.ts';
import { summaryOf } from '../../tests/support/test_stack.ts';
import { outcomeOf } from './chaos_plan.ts';
import type { ChaosRun } from './chaos_run.ts';

/** What does not hold once everything has come to rest. */
export async function chaosProblems(run: ChaosRun): Promise<string[]> {
  return [
    ...(await statusProblems(run)),
    ...(await vectorProblems(run)),
    ...(await purchaseProblems(run)),
    ...summaryProblems(run),
    ...(await otherProblems(run)),
  ];
}

/** Who makes a word noise leaves the name of the batch that had claimed it, which nobody reads then. */
async function otherProblems({ stack }: ChaosRun): Promise<string[]> {
  const entities = await stack.entities();
  const noise = entities.filter(({ status }) => status === 'NOISE').map(({ id }) => id);
  return (await batchProblems(stack)).filter(
    (problem) =>
      !noise.some((id) => problem.startsWith(`${id} is `) && problem.includes('claimed')),
  );
}

/** Each line and word has a status that nothing waits for, or a batch that is live, or parked. */
export async function statusProblems({ stack }: Pick<ChaosRun, 'stack'>): Promise<string[]> {
  const batches = new Map((await stack.batches()).map((batch) => [batch.batch_id, batch]));
  return (await stack.entities()).flatMap(({ id, status, owner = 'nobody' }) => {
    if (['SUCCESS', 'FAILED', 'NONE', 'NOISE'].includes(status)) return [];
    const batch = batches.get(owner);
    if (status === 'PENDING' && batch !== undefined && !isEnded(batch.status)) return [];
    return [`${id} is ${status}, and claimed by ${owner} (${batch?.status ?? 'no such batch'})`];
  });
}

/**
 * Each vector is that of what it says it is of. Of a row that is SUCCESS, what Pinecone has is of the row's present text; or, as
 * realtime writes deltas alone, a recorded run has that.
 */
async function vectorProblems({ stack }: ChaosRun): Promise<string[]> {
  const runs = await storedRuns(stack);
  const inDeltas = new Set(
    runs.flatMap(({ lines, words }) =>
      [...lines, ...words].map(({ id, document }) => `${id} ${document}`),
    ),
  );
  const batches = await stack.batches();
  const { lines, words } = await stack.vectors();
  const stored = new Map([...lines, ...words]);
  return [
    ...doubledContents(runs, 1),
    ...runs.flatMap(wrongVectors),
    ...[...stored].flatMap(([id, vector]) =>
      isOfItsText(vector, askedFor(stack, batches, id))
        ? []
        : [`${id} has the vector of something else in Pinecone`],
    ),
    ...(await stack.entities()).flatMap((entity) => {
      const text = stored.get(entity.id)?.metadata['text'];
      return isStale(entity, text, inDeltas)
        ? [`${entity.id} is SUCCESS, and Pinecone has the vector of another text`]
        : [];
    }),
  ];
}

/** Every input that batches have asked for under an id. */
function askedFor(stack: BatchStack, batches: readonly BatchSummary[], id: string): string[] {
  return batches.flatMap(({ batch_id }) => stack.requests(batch_id).get(id) ?? []);
}

/** A word's neighbours may have changed since it was asked for, and its metadata with them. */
function isOfItsText(vector: StoredVector, inputs: readonly string[]): boolean {
  const text = String(vector.metadata['text']);
  return inputs.some(
    (input) =>
      (input === text || input.startsWith(`<TARGET>${text}</TARGET>`)) && isVectorOf(vector, input),
  );
}

function isStale(
  { id, status, text }: EntityRow,
  stored: unknown,
  inDeltas: ReadonlySet<string>,
): boolean {
  return (
    status === 'SUCCESS' &&
    stored !== undefined &&
    stored !== text &&
    !inDeltas.has(`${id} ${text}`)
  );
}

/** For each batch of ours that OpenAI was asked for there is one at OpenAI, and what was bought there is used. */
async function purchaseProblems({
  stack,
  openaiBatches,
  plan: { seed },
}: ChaosRun): Promise<string[]> {
  const batches = await stack.batches();
  const known = new Set(batches.map(({ batch_id }) => batch_id));
  const unknown = openaiBatches
    .filter(({ metadata }) => !known.has(metadata?.['batch_id'] ?? ''))
    .map(({ id }) => `${id} is at OpenAI, and no batch of ours`);
  const wrong = batches.flatMap((batch) => {
    const { batch_id, openai_batch_id, status, requested = 0, released } = batch;
    const about = `batch ${batch_id} (${status}, ${openai_batch_id}, ${batch.reason ?? 'no reason'})`;
    const there = stack.openaiBatches(batch_id);
    const [only] = there;
    if (there.length > 1 || (openai_batch_id !== 'N/A' && only?.id !== openai_batch_id)) {
      return [`${about} is at OpenAI as ${there.map(({ id }) => id).join(', ') || 'nothing'}`];
    }
    const good = [...stack.requests(batch_id).keys()].filter(
      (id) => outcomeOf(seed, id) === 'ok',
    ).length;
    const bought = only?.state === 'completed' && only.outputFileId !== undefined && good > 0;
    return isEnded(status) && bought && requested > 0 && released === requested
      ? [`${about} was bought, with ${good} of ${requested} good rows, and thrown away`]
      : [];
  });
  return [...unknown, ...wrong];
}

type Counts = Readonly<Record<string, number | undefined>>;

/** Sums of each execution's summary: what there was, and what became of it. */
const SUMS: Readonly<Record<string, readonly (readonly [string, readonly string[]])[]>> = {
  realtime: [['total', ['succeeded', 'reused', 'skipped', 'failed', 'not_tried']]],
  batchSubmit: [['total', ['submitted', 'dropped', 'failed', 'not_tried']]],
  batchPoll: [
    ['total', ['completed', 'running', 'parked', 'failed', 'not_tried']],
    ['requested', ['succeeded', 'rows_failed', 'released']],
  ],
};

function summaryProblems({ executions }: ChaosRun): string[] {
  return executions.flatMap(([workflow, execution]) => {
    if (execution.status !== 'SUCCEEDED' && execution.error !== 'TooManyFailed') return [];
    const summary = summaryOf(execution) as Counts;
    return (SUMS[workflow] ?? []).flatMap(([whole, parts]) => {
      const sum = parts.reduce((total, part) => total + (summary[part] ?? 0), 0);
      return (summary[whole] ?? 0) === sum
        ? []
        : [
            `${workflow} does not add up: ${whole} ${summary[whole] ?? 0}, ${JSON.stringify(summary)}`,
          ];
    });
  });
}
