import * as pulumi from '@pulumi/pulumi';
import { EmbeddingStateMachine } from './state_machine.ts';
import {
  realtimeStateMachine,
  type RealtimeStateMachineSettings,
} from './state_machines/realtime.ts';
import type { Tags } from './tags.ts';

export interface RealtimeEmbeddingWorkflowArgs {
  /** ARNs of the functions. */
  readonly functions: Readonly<
    Record<keyof RealtimeStateMachineSettings['functions'], pulumi.Input<string>>
  >;
  /** The bucket of the runs' files. */
  readonly bucket: pulumi.Input<string>;
  /** Receipts at a time. */
  readonly maxConcurrency: number;
  readonly childExecutionType: 'STANDARD' | 'EXPRESS';
  readonly toleratedFailurePercentage: number;
  readonly logRetentionDays: number;
  readonly tags: Tags;
}

/** The realtime workflow: the receipts that are found are embedded at once, into ChromaDB deltas. */
export class RealtimeEmbeddingWorkflow extends EmbeddingStateMachine {
  constructor(
    name: string,
    args: RealtimeEmbeddingWorkflowArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    const { maxConcurrency, childExecutionType, toleratedFailurePercentage } = args;
    super(
      'receipts:workflow:RealtimeEmbeddingWorkflow',
      name,
      {
        stem: 'realtime-embedding-sf',
        roleStem: 'realtime-sf-role',
        definition: pulumi
          .all([pulumi.output(args.functions), args.bucket])
          .apply(([functions, bucket]) =>
            realtimeStateMachine({
              functions,
              bucket,
              maxConcurrency,
              childExecutionType,
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
