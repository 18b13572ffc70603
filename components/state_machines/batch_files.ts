/** Where a batch's files lie in the batch bucket; `*` for the id gives the pattern of all batches'. */
export const BATCH_FILES = {
  prefix: 'batches/',
  /** What the batch wants, which plan_batches writes. */
  plan: (batchId: string): string => `batches/${batchId}/plan.jsonl`,
  /** What OpenAI gets: exactly what the batch won. */
  requests: (batchId: string): string => `batches/${batchId}/requests.jsonl`,
  /** The folder of the parts of its results, which download_batch_results writes. */
  results: (batchId: string): string => `batches/${batchId}/results`,
} as const;

/** Where an execution of the submit workflow has its files in the batch bucket. */
export const SUBMIT_FILES = executionFiles('submits');

/** Where an execution of the poll workflow has its files in the batch bucket. */
export const POLL_FILES = executionFiles('polls');

/** `*` for the execution's name gives the pattern of all executions'. */
function executionFiles(folder: string) {
  return {
    prefix: `${folder}/`,
    /** The list of batches, which the Map reads. */
    manifest: (executionName: string): string => `${folder}/${executionName}/batches.jsonl`,
    /** The folder of the Map's results, which its ResultWriter writes. */
    results: (executionName: string): string => `${folder}/${executionName}/results`,
  } as const;
}
