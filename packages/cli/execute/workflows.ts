import type { OutputName } from '../deployed_stack/stack_outputs.ts';

/** The workflows by the names that the command line has for them. */
export const WORKFLOW_NAMES = ['realtime', 'batch-submit', 'batch-poll'] as const;
export type WorkflowName = (typeof WORKFLOW_NAMES)[number];

/** The stack's output with the state machine's ARN. */
export const OUTPUT_OF: Readonly<Record<WorkflowName, OutputName>> = {
  realtime: 'realtime_embedding_sf_arn',
  'batch-submit': 'batch_submit_sf_arn',
  'batch-poll': 'batch_poll_sf_arn',
};

/** One thing that a workflow's Map has many of, and many of them. */
export type ItemName = readonly [one: string, many: string];

/** What the Map of an execution runs over, told by the names that the program gives its state machines. */
export function itemName(executionArn: string): ItemName {
  if (executionArn.includes(':realtime-embedding-sf-')) return ['receipt', 'receipts'];
  if (/:batch-(submit|poll)-embedding-sf-/.test(executionArn)) return ['batch', 'batches'];
  return ['item', 'items'];
}
