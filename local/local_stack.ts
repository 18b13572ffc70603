import { setTimeout } from 'node:timers/promises';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { EmbeddingModel } from 'receipt-embedding/embeddings';
import type { Table } from 'receipt-embedding/table';
import {
  startEmbeddedAws,
  type EmbeddedAws,
  type EmbeddedAwsSettings,
} from './aws/embedded_aws.ts';
import { WaitingTime } from './aws/waiting_time.ts';
import { serve } from './http/server.ts';
import { OpenAIStandIn } from './openai/openai_stand_in.ts';
import type { ExecutionDescription } from './step_functions/api/execution_view.ts';

export interface LocalStackSettings extends Partial<
  Pick<EmbeddedAwsSettings, 'port' | 'config' | 'onLog' | 'retryDelay'>
> {
  /**
   * How long the OpenAI stand-in takes to answer, milliseconds.
   *
   * @default 0
   */
  readonly latencyMs?: number;
  /**
   * Use OpenAI itself, with this key.
   *
   * @default the stand-in
   */
  readonly openaiApiKey?: string;
}

/** A whole deployment on this machine: the embedded AWS and the stand-in for OpenAI. */
export interface LocalStack {
  readonly aws: EmbeddedAws;
  readonly openai: OpenAIStandIn;
  /** How long functions waited for the OpenAI stand-in. */
  readonly openaiWaiting: WaitingTime;
  /** How OpenAI, or its stand-in, is reached. */
  readonly openaiAccess: { readonly apiKey: string; readonly baseURL: string | undefined };
  /** The stack's, as the program has configured it. */
  readonly embeddingModel: EmbeddingModel;
  readonly table: Table;
  readonly bucket: string;
  readonly stateMachineArn: string;
  /** Starts the realtime workflow. */
  readonly start: (input: unknown) => Promise<string>;
  /** Starts it and waits for its end. */
  readonly execute: (input: unknown) => Promise<ExecutionDescription>;
  readonly close: () => Promise<void>;
}

const STACK = 'dev';

/** @throws what the program throws, and when the port can't be had; nothing is left running then. */
export async function startLocalStack(settings: LocalStackSettings = {}): Promise<LocalStack> {
  const { latencyMs = 0, openaiApiKey, config = {}, port = 0, ...rest } = settings;
  const openai = new OpenAIStandIn({
    latencyMs,
    // Whoever closes the stack does not wait for answers that nobody hears any more.
    sleep: (milliseconds) => setTimeout(milliseconds, undefined, { ref: false }),
  });
  const openaiWaiting = new WaitingTime();
  let openaiRequests = 0;
  const openaiServer = await serve((request) => {
    openaiRequests++;
    // Each request is a caller of its own: a function has one of them under way.
    return openaiWaiting.during(String(openaiRequests), () => openai.handle(request));
  }, 0);
  const openaiAccess = {
    apiKey: openaiApiKey ?? 'sk-local-stand-in',
    baseURL: openaiApiKey === undefined ? `${openaiServer.url}/v1` : undefined,
  };
  const aws = await startEmbeddedAws({
    ...rest,
    port,
    stack: STACK,
    config: {
      ...(openaiAccess.baseURL === undefined ? {} : { openai_base_url: openaiAccess.baseURL }),
      ...config,
    },
    secrets: { openai_api_key: openaiAccess.apiKey },
  }).catch(async (error: unknown) => {
    await openaiServer.close();
    throw error;
  });
  const outputs = aws.deployment.outputs as Record<
    'realtime_embedding_sf_arn' | 'chromadb_bucket_name' | 'dynamodb_table_name',
    string
  >;
  const stateMachineArn = outputs.realtime_embedding_sf_arn;
  const start = async (input: unknown): Promise<string> => {
    const { executionArn } = await aws.clients.sfn.send(
      new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
    );
    if (executionArn === undefined) throw new Error('StartExecution answered without an ARN');
    return executionArn;
  };
  return {
    aws,
    openai,
    openaiWaiting,
    openaiAccess,
    embeddingModel: deployedModel(aws),
    table: { client: aws.clients.dynamodb, name: outputs.dynamodb_table_name },
    bucket: outputs.chromadb_bucket_name,
    stateMachineArn,
    start,
    execute: async (input) => await aws.stepFunctions.waitForExecution(await start(input)),
    close: async () => {
      await aws.close();
      await openaiServer.close();
    },
  };
}

/** The model that the functions are deployed with. */
function deployedModel({ deployment }: EmbeddedAws): EmbeddingModel {
  for (const { type, state } of deployment.resources) {
    if (type !== 'aws:lambda/function:Function') continue;
    const { variables } = state['environment'] as { variables: Record<string, string> };
    const { EMBEDDING_MODEL: model, EMBEDDING_DIMENSIONS: dimensions } = variables;
    if (model !== undefined && dimensions !== undefined) {
      return { model, dimensions: Number(dimensions) };
    }
  }
  throw new Error('the program deploys no function that embeds');
}
