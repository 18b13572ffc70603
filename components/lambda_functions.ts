import * as pulumi from '@pulumi/pulumi';
import type { BatchFunctionsArgs } from './batch_grants.ts';
import { type BatchPollFunctions, createBatchPollFunctions } from './batch_poll_functions.ts';
import { type BatchSubmitFunctions, createBatchSubmitFunctions } from './batch_submit_functions.ts';
import type { Bundles } from './bundling/bundles.ts';
import { EmbeddingFunction } from './embedding_function.ts';
import type { CreateFunction } from './function_grants.ts';
import type { FunctionName } from './function_names.ts';
import { SharedLayer } from './lambda_layer.ts';
import { functionPurpose } from './names.ts';
import {
  createRealtimeFunctions,
  type RealtimeFunctions,
  type RealtimeFunctionsArgs,
} from './realtime_functions.ts';
import type { Tags } from './tags.ts';

export interface LambdaFunctionsArgs extends RealtimeFunctionsArgs {
  readonly bundles: Bundles;
  /**
   * What the batch path needs beside that.
   *
   * @default the stack has no batch path.
   */
  readonly batch?: Pick<BatchFunctionsArgs, 'batchBucket' | 'pinecone' | 'batchMaxTokens'>;
  readonly logRetentionDays: number;
  readonly tags: Tags;
}

/** The functions of the batch path's workflows. */
export interface BatchFunctions {
  readonly submit: BatchSubmitFunctions;
  readonly poll: BatchPollFunctions;
}

const FIFTEEN_MINUTES = 900;

/** All functions, each with its least privilege, on the shared layer. */
export class LambdaFunctions extends pulumi.ComponentResource {
  public readonly realtime: RealtimeFunctions;
  /** Undefined in a stack without the batch path. */
  public readonly batch: BatchFunctions | undefined;
  private readonly created: Partial<Record<FunctionName, EmbeddingFunction>> = {};

  constructor(name: string, args: LambdaFunctionsArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:lambda:LambdaFunctions', name, {}, opts);
    const layer = new SharedLayer(
      'receipt-embedding-layer',
      { folder: args.bundles.layer },
      { parent: this },
    );
    const create = this.creator(layer, args);
    this.realtime = createRealtimeFunctions(create, args);
    this.batch = createBatchFunctions(create, args);
    this.registerOutputs({
      ...arnsOf(this.realtime),
      ...arnsOf(this.batch?.submit ?? {}),
      ...arnsOf(this.batch?.poll ?? {}),
    });
  }

  /** All of them, by the folders of their handlers. */
  public get all(): Readonly<Partial<Record<FunctionName, EmbeddingFunction>>> {
    return this.created;
  }

  private creator(
    layer: SharedLayer,
    { bundles, logRetentionDays, tags }: LambdaFunctionsArgs,
  ): CreateFunction {
    return (folder, size, grants) => {
      const what = functionPurpose(folder);
      const created = new EmbeddingFunction(
        what,
        {
          what,
          folder: bundles.handler(folder),
          layerArn: layer.arn,
          ...size,
          timeout: FIFTEEN_MINUTES,
          environment: Object.assign({}, ...grants.map(({ environment }) => environment)) as Record<
            string,
            pulumi.Input<string>
          >,
          statements: grants.flatMap(({ statements }) => statements),
          logRetentionDays,
          tags,
        },
        { parent: this },
      );
      this.created[folder] = created;
      return created;
    };
  }
}

function createBatchFunctions(
  create: CreateFunction,
  { batch, ...shared }: LambdaFunctionsArgs,
): BatchFunctions | undefined {
  if (batch === undefined) return undefined;
  const args = { ...shared, ...batch };
  return {
    submit: createBatchSubmitFunctions(create, args),
    poll: createBatchPollFunctions(create, args),
  };
}

/** The functions' ARNs, by the functions' names. */
export function arnsOf<Functions extends object>(
  functions: Functions,
): Record<keyof Functions, pulumi.Output<string>> {
  return Object.fromEntries(
    Object.entries(functions).map(([name, { arn }]: [string, EmbeddingFunction]) => [name, arn]),
  ) as Record<keyof Functions, pulumi.Output<string>>;
}
