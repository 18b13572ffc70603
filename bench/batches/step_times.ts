import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { BatchSummary } from 'receipt-embedding/entities/batch';
import type { LocalStack } from 'receipts-cli/local_stack';
import type { ExecutionSteps } from './execution_steps.ts';

/** A step of a batch's way, and how long it took. */
export interface StepTime {
  readonly step: string;
  readonly milliseconds: number;
}

/** The steps of the one batch of a submission, from the executions' histories and from what each step leaves behind. */
export async function submitTimes(
  { aws, batchBucket }: LocalStack,
  [parent, child]: readonly ExecutionSteps[],
  { batch_id, creating_since = '' }: BatchSummary,
): Promise<StepTime[]> {
  const { Contents: [requests] = [] } = await aws.clients.s3.send(
    new ListObjectsV2Command({ Bucket: batchBucket, Prefix: `batches/${batch_id}/requests.jsonl` }),
  );
  const claimed = requests?.LastModified?.getTime() ?? Number.NaN;
  const uploaded = Date.parse(creating_since);
  const submission = child?.states.get('SubmitBatch');
  if (submission === undefined) throw new Error('the history of the submission is gone');
  return [
    ...times(parent, ['PlanBatches']),
    { step: 'SubmitBatch: claims', milliseconds: claimed - submission.entered },
    { step: 'SubmitBatch: upload', milliseconds: uploaded - claimed },
    { step: 'SubmitBatch: create', milliseconds: submission.exited - uploaded },
  ];
}

/** The steps of the one batch of a poll. */
export function pollTimes([, child]: readonly ExecutionSteps[]): StepTime[] {
  return times(child, ['GetBatchStatus', 'DownloadResults', 'IngestParts', 'MarkBatchComplete']);
}

function times(execution: ExecutionSteps | undefined, states: readonly string[]): StepTime[] {
  return states.map((step) => {
    const { entered, exited } = execution?.states.get(step) ?? { entered: 0, exited: Number.NaN };
    return { step, milliseconds: exited - entered };
  });
}
