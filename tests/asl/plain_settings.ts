import type { BatchPollStateMachineSettings } from '../../components/state_machines/batch_poll.ts';
import type { BatchSubmitStateMachineSettings } from '../../components/state_machines/batch_submit.ts';
import type { RealtimeStateMachineSettings } from '../../components/state_machines/realtime.ts';

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function';

/** The realtime workflow's settings in plain strings, as a stack `dev` has them. */
export const PLAIN_SETTINGS: RealtimeStateMachineSettings = {
  functions: {
    findReceipts: `${ARN}:embedding-find-receipts-realtime-lambda-dev`,
    processReceipt: `${ARN}:embedding-process-receipt-realtime-lambda-dev`,
    summarizeRun: `${ARN}:embedding-summarize-realtime-run-lambda-dev`,
  },
  bucket: 'vectors',
  maxConcurrency: 10,
  childExecutionType: 'STANDARD',
  toleratedFailurePercentage: 10,
};

const BATCH_SETTINGS = {
  bucket: 'batch-files',
  maxConcurrency: 5,
  toleratedFailurePercentage: 10,
};

/** Those of the workflow that submits batches. */
export const PLAIN_SUBMIT_SETTINGS: BatchSubmitStateMachineSettings = {
  ...BATCH_SETTINGS,
  functions: {
    planBatches: `${ARN}:embedding-plan-batches-lambda-dev`,
    submitBatch: `${ARN}:embedding-submit-batch-lambda-dev`,
    summarizeSubmit: `${ARN}:embedding-summarize-batch-submit-lambda-dev`,
  },
};

/** Those of the workflow that polls batches. */
export const PLAIN_POLL_SETTINGS: BatchPollStateMachineSettings = {
  ...BATCH_SETTINGS,
  functions: {
    listPendingBatches: `${ARN}:embedding-list-pending-batches-lambda-dev`,
    getBatchStatus: `${ARN}:embedding-get-batch-status-lambda-dev`,
    downloadResults: `${ARN}:embedding-download-batch-results-lambda-dev`,
    upsertToPinecone: `${ARN}:embedding-upsert-to-pinecone-lambda-dev`,
    writeResultsToDynamo: `${ARN}:embedding-write-results-to-dynamo-lambda-dev`,
    markBatchComplete: `${ARN}:embedding-mark-batch-complete-lambda-dev`,
    releaseBatch: `${ARN}:embedding-release-batch-lambda-dev`,
    recordBatchFailure: `${ARN}:embedding-record-batch-failure-lambda-dev`,
    summarizePoll: `${ARN}:embedding-summarize-batch-poll-lambda-dev`,
  },
};
