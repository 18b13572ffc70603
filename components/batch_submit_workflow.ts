import * as pulumi from '@pulumi/pulumi';
import { EmbeddingStateMachine } from './state_machine.ts';
import {
  batchSubmitStateMachine,
  type BatchSubmitStateMachineSettings,
} from './state_machines/batch_submit.ts';
import type { Tags } from './tags.ts';

export interface BatchSubmitWorkflowArgs {
  /** ARNs of the functions. */
  readonly functions: Readonly<
    Record<keyof BatchSubmitStateMachineSettings['functions'], pulumi.Input<string>>
  >;
  /** The bucket of the batches' files. */
  readonly bucket: pulumi.Input<string>;
  /** Batches at a time. */
  readonly maxConcurrency: number;
  readonly toleratedFailurePercentage: number;
  readonly logRetentionDays: number;
  readonly tags: Tags;
}

/** The batch path's first half: lines and words that are to be embedded become batches at OpenAI. */
export class BatchSubmitWorkflow extends EmbeddingStateMachine {
  constructor(name: string, args: BatchSubmitWorkflowArgs, opts?: pulumi.ComponentResourceOptions) {
    const { maxConcurrency, toleratedFailurePercentage } = args;
    super(
      'receipts:workflow:BatchSubmitWorkflow',
      name,
      {
        stem: 'batch-submit-embedding-sf',
        roleStem: 'batch-submit-sf-role',
        definition: pulumi
          .all([pulumi.output(args.functions), args.bucket])
          .apply(([functions, bucket]) =>
            batchSubmitStateMachine({
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
