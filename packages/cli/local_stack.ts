import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { WaitingTime } from 'embedded-aws/aws/aws_edge';
import { REGION } from 'embedded-aws/aws/client_settings';
import {
  type EmbeddedAws,
  type EmbeddedAwsSettings,
  startEmbeddedAws,
} from 'embedded-aws/aws/embedded_aws';
import { type RunningServer, serve } from 'embedded-aws/http/server';
import type { Service } from 'embedded-aws/http/service';
import type { ExecutionDescription } from 'embedded-aws/step_functions/api/execution_view';
import type { EmbeddingModel } from 'receipt-embedding/embeddings/embedder';
import type { Table } from 'receipt-embedding/table/table';
import type { BatchOptions } from 'vendor-stand-ins/openai/batch_script';
import { OpenAIStandIn } from 'vendor-stand-ins/openai/openai_stand_in';
import {
  PineconeStandIn,
  type PineconeStandInOptions,
} from 'vendor-stand-ins/pinecone/pinecone_stand_in';

export interface LocalStackSettings extends Partial<
  Pick<
    EmbeddedAwsSettings,
    'port' | 'config' | 'onLog' | 'retryDelay' | 'eventDelay' | 'enforceIam'
  >
> {
  /**
   * How long the OpenAI stand-in takes to answer, milliseconds.
   *
   * @default 0
   */
  readonly latencyMs?: number;
  /** How the stand-in's Batch API behaves. @default every batch is done at once, and goes well */
  readonly batches?: BatchOptions;
  /** @default it keeps vectors */
  readonly pinecone?: Pick<PineconeStandInOptions, 'keepVectors'>;
  /**
   * Use OpenAI itself, with this key.
   *
   * @default the stand-in
   */
  readonly openaiApiKey?: string;
  /** Secrets of the stack beside the keys of OpenAI and Pinecone. @default none */
  readonly secrets?: EmbeddedAwsSettings['secrets'];
}

/** The state machines of the stack. */
export type Workflow = 'realtime' | 'batchSubmit' | 'batchPoll';

/** A whole deployment on this machine: the embedded AWS and the stand-ins for OpenAI and Pinecone. */
export interface LocalStack {
  readonly aws: EmbeddedAws;
  readonly openai: OpenAIStandIn;
  readonly pinecone: PineconeStandIn;
  /** How long functions waited for the stand-ins of OpenAI and Pinecone. */
  readonly vendorWaiting: WaitingTime;
  /** How OpenAI, or its stand-in, is reached. */
  readonly openaiAccess: { readonly apiKey: string; readonly baseURL: string | undefined };
  readonly pineconeAccess: { readonly apiKey: string; readonly host: string };
  /** The stack's, as the program has configured it. */
  readonly embeddingModel: EmbeddingModel;
  readonly table: Table;
  readonly bucket: string;
  readonly batchBucket: string;
  /** ARNs. */
  readonly stateMachines: Readonly<Record<Workflow, string>>;
  /** Starts a workflow, the realtime one unless said otherwise. */
  readonly start: (input: unknown, workflow?: Workflow) => Promise<string>;
  /** Starts it and waits for its end. */
  readonly execute: (input: unknown, workflow?: Workflow) => Promise<ExecutionDescription>;
  readonly close: () => Promise<void>;
}

const STACK = 'dev';
const PINECONE = { indexName: 'receipts', apiKey: 'pc-local-stand-in' } as const;

/** @throws what the program throws, and when the port can't be had; nothing is left running then. */
export async function startLocalStack(settings: LocalStackSettings = {}): Promise<LocalStack> {
  const { latencyMs = 0, openaiApiKey, config = {}, port = 0, batches, ...rest } = settings;
  const openai = new OpenAIStandIn({
    latencyMs,
    ...(batches === undefined ? {} : { batches }),
  });
  const vendors = new Vendors();
  try {
    const openaiServer = await vendors.serve(openai.handle);
    // Its dimensions are the deployed stack's, which asks for nothing while it is deployed.
    const door: { pinecone?: PineconeStandIn } = {};
    const pineconeServer = await vendors.serve((request) => {
      if (door.pinecone === undefined) throw new Error('the stack is still starting');
      return door.pinecone.handle(request);
    });
    const openaiAccess = {
      apiKey: openaiApiKey ?? 'sk-local-stand-in',
      baseURL: openaiApiKey === undefined ? `${openaiServer.url}/v1` : undefined,
    };
    const pineconeAccess = { apiKey: PINECONE.apiKey, host: pineconeServer.url };
    const aws = await startEmbeddedAws({
      ...rest,
      port,
      program: new URL('../../index.ts', import.meta.url),
      project: 'receipt-embeddings',
      stack: STACK,
      config: {
        ...(openaiAccess.baseURL === undefined ? {} : { openai_base_url: openaiAccess.baseURL }),
        pinecone_index_name: PINECONE.indexName,
        pinecone_host: pineconeAccess.host,
        ...config,
      },
      secrets: {
        ...settings.secrets,
        openai_api_key: openaiAccess.apiKey,
        pinecone_api_key: pineconeAccess.apiKey,
      },
    });
    const embeddingModel = deployedModel(aws);
    const pinecone = new PineconeStandIn({
      ...PINECONE,
      dimension: embeddingModel.dimensions,
      ...settings.pinecone,
    });
    door.pinecone = pinecone;
    const outputs = aws.deployment.outputs as Record<
      | `${'realtime_embedding' | 'batch_submit' | 'batch_poll'}_sf_arn`
      | 'chromadb_bucket_name'
      | 'batch_bucket_name'
      | 'dynamodb_table_name',
      string
    >;
    const stateMachines = {
      realtime: outputs.realtime_embedding_sf_arn,
      batchSubmit: outputs.batch_submit_sf_arn,
      batchPoll: outputs.batch_poll_sf_arn,
    };
    const start: LocalStack['start'] = async (input, workflow = 'realtime') => {
      const { executionArn } = await aws.clients.sfn.send(
        new StartExecutionCommand({
          stateMachineArn: stateMachines[workflow],
          input: JSON.stringify(input),
        }),
      );
      if (executionArn === undefined) throw new Error('StartExecution answered without an ARN');
      return executionArn;
    };
    return {
      aws,
      openai,
      pinecone,
      vendorWaiting: vendors.waiting,
      openaiAccess,
      pineconeAccess,
      embeddingModel,
      table: { client: aws.clients.dynamodb, name: outputs.dynamodb_table_name },
      bucket: outputs.chromadb_bucket_name,
      batchBucket: outputs.batch_bucket_name,
      stateMachines,
      start,
      execute: async (input, workflow) =>
        await aws.stepFunctions.waitForExecution(await start(input, workflow)),
      close: async () => {
        await aws.close();
        await vendors.close();
      },
    };
  } catch (error) {
    await vendors.close();
    throw error;
  }
}

/** The stand-ins of vendors, each behind a port of its own. */
class Vendors {
  readonly waiting = new WaitingTime();
  readonly #servers: RunningServer[] = [];
  #requests = 0;

  async serve(service: Service): Promise<RunningServer> {
    const server = await serve((request) => {
      this.#requests++;
      // Each request is a caller of its own: a function has one of them under way.
      return this.waiting.during(String(this.#requests), async () => await service(request));
    }, 0);
    this.#servers.push(server);
    return server;
  }

  async close(): Promise<void> {
    for (const server of this.#servers.splice(0)) await server.close();
  }
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

/** What points the AWS CLI and SDKs at the embedded AWS; the outputs' names are for the commands of the README. */
export function exportedVariables({
  url,
  credentials,
  deployment,
}: Pick<EmbeddedAws, 'url' | 'credentials' | 'deployment'>): Readonly<Record<string, string>> {
  const outputs = Object.entries(deployment.outputs as Readonly<Record<string, string>>);
  return {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    // A proxy knows no loopback address of this machine. Programs read one of the two names.
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
    ...Object.fromEntries(outputs.map(([name, value]) => [name.toUpperCase(), value])),
  };
}
