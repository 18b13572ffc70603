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
