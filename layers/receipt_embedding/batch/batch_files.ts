/** The list of batches that an execution of the submit or the poll workflow works on, as its Map reads it. */
export const manifestKey = (folder: 'submits' | 'polls', executionName: string): string =>
  `${folder}/${executionName}/batches.jsonl`;

/** What a batch wants: a PlannedEntity a line. */
export const planKey = (batchId: string): string => `batches/${batchId}/plan.jsonl`;

/** What the batch won, and OpenAI gets: one request a line. */
export const requestsKey = (batchId: string): string => `batches/${batchId}/requests.jsonl`;

/** A part of a batch's results: a PartRow a line. */
export const resultPartKey = (batchId: string, part: number): string =>
  `batches/${batchId}/results/part-${String(part).padStart(5, '0')}.jsonl`;
