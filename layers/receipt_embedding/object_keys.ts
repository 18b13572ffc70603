import type { StoreName, VectorCollection } from './stores/vector_store.ts';

/**
 * Where the files of this system lie in its two buckets. `*` in the place of an id or a name gives the pattern of all of them,
 * for policies and life cycles. Without any SDK, so that the deployment reads it too.
 */

/** A folder for each execution of one workflow; the execution's name is the folder's. */
interface ExecutionFiles {
  readonly prefix: string;
  /** The list of items, JSON lines, which the workflow's first function writes and its Map reads. */
  readonly manifest: (executionName: string) => string;
  /** The folder of the Map's results, which its ResultWriter writes and summarize_execution reads. */
  readonly results: (executionName: string) => string;
}

function executionFiles(folder: string, list: string): ExecutionFiles {
  return {
    prefix: `${folder}/`,
    manifest: (executionName) => `${folder}/${executionName}/${list}`,
    results: (executionName) => `${folder}/${executionName}/results`,
  };
}

/** Files of executions: the realtime workflow's in the ChromaDB bucket, those of the batch workflows in the batch bucket. */
export const EXECUTION_FILES = {
  realtime: executionFiles('runs', 'receipts.jsonl'),
  batch_submit: executionFiles('submits', 'batches.jsonl'),
  batch_poll: executionFiles('polls', 'batches.jsonl'),
} as const;

/** Files of batches, in the batch bucket. */
export const BATCH_FILES = {
  prefix: 'batches/',
  /** What the batch is planned to embed: a PlannedEntity a line. */
  plan: (batchId: string): string => `batches/${batchId}/plan.jsonl`,
  /** What the batch has claimed, and OpenAI gets: one request a line. */
  requests: (batchId: string): string => `batches/${batchId}/requests.jsonl`,
  /** The folder of the parts of its results. */
  results: (batchId: string): string => `batches/${batchId}/results`,
  /** A part of its results: a PartRow a line. */
  part: (batchId: string, part: number): string =>
    `batches/${batchId}/results/part-${String(part).padStart(5, '0')}.jsonl`,
  /** What the stores get of a part, once it is in the log: a PartRecord a line. */
  records: (partKey: string): string => partKey.replace(/\.jsonl$/, '.records.jsonl'),
  /** What a store has refused of it: a RefusedRecord a line. */
  refused: (partKey: string, store: StoreName): string =>
    partKey.replace(/\.jsonl$/, `.refused-${store}.jsonl`),
} as const;

/** A part of a batch's results as the batch's record names it, briefly: `part-00012.jsonl`. */
export function partName(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** Where the deltas of all runs lie in the ChromaDB bucket. */
export const DELTAS = {
  lines: 'lines/delta/',
  words: 'words/delta/',
} as const satisfies Readonly<Record<VectorCollection, string>>;

/** `{lines|words}/delta/{run_id}/`: where a run's delta lies in the ChromaDB bucket (docs/data_model.md §3). */
export function deltaPrefix(collection: VectorCollection, runId: string): string {
  return `${DELTAS[collection]}${runId}/`;
}

/**
 * The one object below that prefix.
 * @example
 * ```ts
 * deltaKey('lines', '0b7e3f3a-1111-4222-8333-444455556666');
 * // 'lines/delta/0b7e3f3a-1111-4222-8333-444455556666/delta.tar.gz'
 * ```
 */
export function deltaKey(collection: VectorCollection, runId: string): string {
  return `${deltaPrefix(collection, runId)}delta.tar.gz`;
}
