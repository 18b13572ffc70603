import { type BatchSummary, isEnded } from 'receipt-embedding/entities/batch';
import { batchProblems, inputIn, isVectorOf } from '../../tests/support/batch_invariants.ts';
import { doubledContents, wrongVectors } from '../../tests/support/invariants.ts';
import type { BatchStack } from '../../tests/support/batch_stack.ts';
import { storeContents } from '../../tests/support/stack_stores.ts';
import { storedRuns, type StoredVector } from '../../tests/support/stored_vectors.ts';
import { summaryOf } from '../../tests/support/test_stack.ts';
import { isTextOf, purchaseProblems } from './chaos_purchases.ts';
import type { ChaosRun } from './chaos_run.ts';

/** What does not hold once everything has come to rest. */
export async function chaosProblems(run: ChaosRun): Promise<string[]> {
  return [
    ...(await statusProblems(run)),
    ...(await vectorProblems(run)),
    ...(await purchaseProblems(run)),
    ...summaryProblems(run),
    ...(await batchProblems(run.stack)),
  ];
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

/** Each vector is that of what it says it is of, in the deltas and in every store; no content has two runs. */
async function vectorProblems({ stack }: ChaosRun): Promise<string[]> {
  const runs = await storedRuns(stack);
  const batches = await stack.batches();
  const stores = await storeContents(stack.local);
  return [
    ...doubledContents(runs, 1),
    ...runs.flatMap(wrongVectors),
    ...stores.flatMap(({ name, lines, words }) =>
      [...lines, ...words].flatMap(([id, vector]) =>
        isOfItsText(vector, [...askedFor(stack, batches, id), inputIn(vector.metadata)])
          ? []
          : [`${id} has the vector of something else in ${name}`],
      ),
    ),
  ];
}

/** Every input that batches have asked for under an id. */
function askedFor(stack: BatchStack, batches: readonly BatchSummary[], id: string): string[] {
  return batches.flatMap(({ batch_id }) => stack.requests(batch_id).get(id) ?? []);
}

/** A word's neighbours may have changed since it was asked for, and its metadata with them. */
function isOfItsText(vector: StoredVector, inputs: readonly string[]): boolean {
  const text = String(vector.metadata['text']);
  return inputs.some((input) => isTextOf(text, input) && isVectorOf(vector, input));
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
