import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Table } from 'receipt-embedding/table';
import {
  startEmbeddedAws,
  type EmbeddedAws,
  type EmbeddedAwsSettings,
} from './aws/embedded_aws.ts';
import { serve } from './http/server.ts';
import { OpenAIStandIn } from './openai/openai_stand_in.ts';
import type { ExecutionDescription } from './step_functions/execution_view.ts';

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
  const openai = new OpenAIStandIn({ latencyMs });
  const openaiServer = await serve(openai.handle, 0);
  const aws = await startEmbeddedAws({
    ...rest,
    port,
    stack: STACK,
    config: {
      ...(openaiApiKey === undefined ? { openai_base_url: `${openaiServer.url}/v1` } : {}),
      ...config,
    },
    secrets: { openai_api_key: openaiApiKey ?? 'sk-local-stand-in' },
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
