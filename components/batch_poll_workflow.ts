import * as pulumi from '@pulumi/pulumi';
import { EmbeddingStateMachine } from './state_machine.ts';
import {
  batchPollStateMachine,
  type BatchPollStateMachineSettings,
} from './state_machines/batch_poll.ts';
import type { Tags } from './tags.ts';

export interface BatchPollWorkflowArgs {
  /** ARNs of the functions. */
  readonly functions: Readonly<
    Record<keyof BatchPollStateMachineSettings['functions'], pulumi.Input<string>>
  >;
  /** The bucket of the batches' files. */
  readonly bucket: pulumi.Input<string>;
  /** Batches at a time. */
  readonly maxConcurrency: number;
  readonly toleratedFailurePercentage: number;
  readonly logRetentionDays: number;
  readonly tags: Tags;
}

/** The batch path's second half: batches that have ended at OpenAI are ingested into Pinecone and the table. */
export class BatchPollWorkflow extends EmbeddingStateMachine {
  constructor(name: string, args: BatchPollWorkflowArgs, opts?: pulumi.ComponentResourceOptions) {
    const { maxConcurrency, toleratedFailurePercentage } = args;
    super(
      'receipts:workflow:BatchPollWorkflow',
      name,
      {
        stem: 'batch-poll-embedding-sf',
        roleStem: 'batch-poll-sf-role',
        definition: pulumi
          .all([pulumi.output(args.functions), args.bucket])
          .apply(([functions, bucket]) =>
            batchPollStateMachine({
              functions,
              bucket,
              maxConcurrency,
              toleratedFailurePercentage,
            }),
          ),
        logRetentionDays: args.logRetentionDays,
        tags: args.tags,
      },
      opts,
    );
  }
}
