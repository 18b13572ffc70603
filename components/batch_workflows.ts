import type * as pulumi from '@pulumi/pulumi';
import { BatchPollWorkflow } from './batch_poll_workflow.ts';
import { BatchSubmitWorkflow } from './batch_submit_workflow.ts';
import { arnsOf, type BatchFunctions } from './lambda_functions.ts';
import { WorkflowSchedule } from './schedule.ts';
import type { Settings } from './settings.ts';
import type { EmbeddingStateMachine } from './state_machine.ts';
import type { Tags } from './tags.ts';

export interface BatchWorkflowsArgs {
  readonly functions: BatchFunctions;
  /** The bucket of the batches' files. */
  readonly bucket: pulumi.Input<string>;
  readonly settings: Settings;
  readonly tags: Tags;
}

export interface BatchWorkflows {
  readonly submit: BatchSubmitWorkflow;
  readonly poll: BatchPollWorkflow;
}

/** Creates both workflows of the batch path, and the schedules that the settings ask for. */
export function createBatchWorkflows(
  { functions, bucket, settings, tags }: BatchWorkflowsArgs,
  options: pulumi.ComponentResourceOptions,
): BatchWorkflows {
  const args = {
    bucket,
    maxConcurrency: settings.batch_max_concurrency,
    toleratedFailurePercentage: settings.tolerated_failure_percentage,
    logRetentionDays: settings.log_retention_days,
    tags,
  };
  const schedule = (
    stem: string,
    expression: string | undefined,
    workflow: EmbeddingStateMachine,
  ): void => {
    if (expression === undefined) return;
    new WorkflowSchedule(
      stem,
      { stem: `${stem}-schedule`, expression, stateMachineArn: workflow.arn, tags },
      options,
    );
  };
  const submit = new BatchSubmitWorkflow(
    'batch-submit-embedding',
    { ...args, functions: arnsOf(functions.submit) },
    options,
  );
  schedule('batch-submit', settings.batch_submit_schedule, submit);
  const poll = new BatchPollWorkflow(
    'batch-poll-embedding',
    { ...args, functions: arnsOf(functions.poll) },
    options,
  );
  schedule('batch-poll', settings.batch_poll_schedule, poll);
  return { submit, poll };
}
