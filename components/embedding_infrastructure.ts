import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import type { Bucket } from '../simple_lambdas/runtime/declaration.ts';
import { declaration as searchReceipts } from '../simple_lambdas/search_receipts/declaration.ts';
import { type ApiKeys, createApiKeySecrets } from './api_keys.ts';
import { ArrivalQueues, ArrivalSources } from './arrivals.ts';
import type { Bundles } from './bundling/bundles.ts';
import { createDataStores, type DataStores } from './data_stores.ts';
import type { Network } from './embedding_function.ts';
import type { EncryptionKey } from './encryption.ts';
import { LambdaFunctions } from './lambda_functions.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import type { Settings } from './settings.ts';
import { stackFunctions } from './stack_functions.ts';
import {
  BatchPollWorkflow,
  BatchSubmitWorkflow,
  RealtimeEmbeddingWorkflow,
  stateMachineName,
  stateMachineNames,
  type Workflow,
  type WorkflowArgs,
  type WorkflowSchedule,
} from './workflow.ts';

export interface EmbeddingInfrastructureArgs {
  readonly settings: Settings;
  /** Without Google's key Places is not asked. */
  readonly secrets: ApiKeys;
  /** Where the bundles are, written before. */
  readonly bundles: Bundles;
}

/** Everything that a stack deploys. */
export class EmbeddingInfrastructure extends pulumi.ComponentResource {
  public readonly realtimeEmbeddingSfArn: pulumi.Output<string>;
  public readonly chromadbBucketName: pulumi.Output<string>;
  public readonly dynamodbTableName: pulumi.Output<string>;
  public readonly batchSubmitSfArn: pulumi.Output<string>;
  public readonly batchPollSfArn: pulumi.Output<string>;
  public readonly batchBucketName: pulumi.Output<string>;
  public readonly searchFunctionName: string;
  /** The names of the stores, apart by commas. */
  public readonly vectorStores: string;
  /** Undefined in a stack without the store `s3_vectors`, as are the two below. */
  public readonly vectorBucketArn: pulumi.Output<string> | undefined;
  public readonly linesVectorIndexArn: pulumi.Output<string> | undefined;
  public readonly wordsVectorIndexArn: pulumi.Output<string> | undefined;
  /** Undefined in a stack that embeds nothing by itself on arrival, as is the one below. */
  public readonly arrivalsQueueUrl: pulumi.Output<string> | undefined;
  public readonly failedArrivalsQueueUrl: pulumi.Output<string> | undefined;
  public readonly alertTopicArn: pulumi.Output<string>;
  public readonly dashboardUrl: pulumi.Output<string>;
  private readonly args: EmbeddingInfrastructureArgs;
  private readonly keys: Readonly<Partial<Record<Bucket | 'table', EncryptionKey>>>;

  constructor(
    name: string,
    args: EmbeddingInfrastructureArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super(
      'receipts:index:EmbeddingInfrastructure',
      name,
      {},
      pulumi.mergeOptions({ transformations: [withStackTags] }, opts),
    );
    this.args = args;
    this.keys = this.createKeys();
    const stores = this.createStores();
    const queues = this.createQueues();
    const functions = this.createFunctions(stores, queues);
    const { realtime, submit, poll } = this.createWorkflows(functions, stores);
    if (queues !== undefined) this.createSources(functions, stores, queues);
    const monitoring = this.createMonitoring(functions, [realtime, submit, poll], queues);
    this.realtimeEmbeddingSfArn = realtime.arn;
    this.batchSubmitSfArn = submit.arn;
    this.batchPollSfArn = poll.arn;
    this.chromadbBucketName = stores.chromadbBucket.bucketName;
    this.batchBucketName = stores.batchBucket.bucketName;
    this.searchFunctionName = functions.byName(searchReceipts.name).functionName;
    this.vectorStores = args.settings.vector_stores.join();
    this.vectorBucketArn = stores.vectorBucket?.arn;
    this.linesVectorIndexArn = stores.vectorBucket?.indexArns.lines;
    this.wordsVectorIndexArn = stores.vectorBucket?.indexArns.words;
    this.dynamodbTableName = stores.table.name;
    this.arrivalsQueueUrl = queues?.waiting.url;
    this.failedArrivalsQueueUrl = queues?.failed.url;
    this.alertTopicArn = monitoring.topicArn;
    this.dashboardUrl = monitoring.dashboardUrl;
    this.registerOutputs({
      realtimeEmbeddingSfArn: this.realtimeEmbeddingSfArn,
      chromadbBucketName: this.chromadbBucketName,
      dynamodbTableName: this.dynamodbTableName,
      batchSubmitSfArn: this.batchSubmitSfArn,
      batchPollSfArn: this.batchPollSfArn,
      batchBucketName: this.batchBucketName,
      searchFunctionName: this.searchFunctionName,
      vectorStores: this.vectorStores,
      vectorBucketArn: this.vectorBucketArn,
      linesVectorIndexArn: this.linesVectorIndexArn,
      wordsVectorIndexArn: this.wordsVectorIndexArn,
      arrivalsQueueUrl: this.arrivalsQueueUrl,
      failedArrivalsQueueUrl: this.failedArrivalsQueueUrl,
      alertTopicArn: this.alertTopicArn,
      dashboardUrl: this.dashboardUrl,
    });
  }

  /** The keys of their owners that adopted stores are encrypted with. */
  private createKeys(): Partial<Record<Bucket | 'table', EncryptionKey>> {
    const { settings } = this.args;
    const parent = { parent: this };
    const { region } = aws.getRegionOutput({}, parent);
    const { dnsSuffix } = aws.getPartitionOutput({}, parent);
    const keys = {
      table: ['dynamodb', settings.dynamodb_table_kms_key_arn],
      chromadb: ['s3', settings.chromadb_bucket_kms_key_arn],
      batch: ['s3', settings.batch_bucket_kms_key_arn],
    } as const;
    return Object.fromEntries(
      Object.entries(keys).flatMap(([store, [service, keyArn]]) =>
        keyArn === undefined
          ? []
          : [
              [
                store,
                { keyArn, viaService: pulumi.interpolate`${service}.${region}.${dnsSuffix}` },
              ],
            ],
      ),
    );
  }

  private createStores(): DataStores {
    const { settings } = this.args;
    const protect = settings.protect_data ?? pulumi.getStack() !== 'dev';
    if (protect) this.sayWhatIsProtected();
    return createDataStores({ settings, protect }, { parent: this });
  }

  /** Of a stack that embeds what arrives. */
  private createQueues(): ArrivalQueues | undefined {
    const { embed_on_arrival, arrival_quiet_seconds: quietSeconds } = this.args.settings;
    return embed_on_arrival
      ? new ArrivalQueues('arrival-queues', { quietSeconds }, { parent: this })
      : undefined;
  }

  private createSources(
    functions: LambdaFunctions,
    { table: { streamArn } }: DataStores,
    queues: ArrivalQueues,
  ): void {
    new ArrivalSources('arrival-sources', { functions, queues, streamArn }, { parent: this });
  }

  private createFunctions(
    { table, chromadbBucket, batchBucket, vectorBucket }: DataStores,
    queues: ArrivalQueues | undefined,
  ): LambdaFunctions {
    const { settings, secrets, bundles } = this.args;
    return new LambdaFunctions(
      'functions',
      {
        declarations: stackFunctions(settings),
        bundles,
        resources: {
          tableArn: table.arn,
          bucketArns: { chromadb: chromadbBucket.arn, batch: batchBucket.arn },
          stores: settings.vector_stores,
          sources:
            queues === undefined
              ? {}
              : {
                  table_stream: { arn: table.streamArn, failedArn: queues.failed.arn },
                  arrivals: { arn: queues.waiting.arn },
                },
          executionArns: this.statesArns('execution', stateMachineNames()).map(
            (arn) => pulumi.interpolate`${arn}:*`,
          ),
          vectorIndexArns: Object.values(vectorBucket?.indexArns ?? {}),
          keys: this.keys,
          variables: {
            ...settingVariables(settings),
            ...createApiKeySecrets(secrets, { parent: this }),
            DYNAMODB_TABLE_NAME: table.name,
            CHROMADB_BUCKET: chromadbBucket.bucketName,
            BATCH_BUCKET: batchBucket.bucketName,
            ARRIVALS_QUEUE_URL: queues?.waiting.url,
            REALTIME_STATE_MACHINE_ARN: this.statesArns('stateMachine', [
              stateMachineName('realtime'),
            ])[0],
            S3_VECTORS_BUCKET_ARN: vectorBucket?.arn,
            S3_VECTORS_INDEX_SUFFIX: vectorBucket?.indexSuffix,
          },
        },
        logRetentionDays: settings.log_retention_days,
        network: networkOf(settings),
      },
      { parent: this },
    );
  }

  /** ARNs of Step Functions that are known before what they name exists. */
  private statesArns(
    kind: 'execution' | 'stateMachine',
    names: readonly string[],
  ): pulumi.Output<string>[] {
    const parent = { parent: this };
    const { partition } = aws.getPartitionOutput({}, parent);
    const { region } = aws.getRegionOutput({}, parent);
    const { accountId } = aws.getCallerIdentityOutput({}, parent);
    return names.map(
      (name) => pulumi.interpolate`arn:${partition}:states:${region}:${accountId}:${kind}:${name}`,
    );
  }

  private createWorkflows(
    functions: LambdaFunctions,
    { chromadbBucket, batchBucket }: DataStores,
  ): {
    readonly realtime: RealtimeEmbeddingWorkflow;
    readonly submit: BatchSubmitWorkflow;
    readonly poll: BatchPollWorkflow;
  } {
    const { settings } = this.args;
    const parent = { parent: this };
    const common = {
      functions,
      stores: settings.vector_stores,
      toleratedFailurePercentage: settings.tolerated_failure_percentage,
      logRetentionDays: settings.log_retention_days,
    };
    const realtime = new RealtimeEmbeddingWorkflow(
      'realtime-embedding',
      {
        ...common,
        bucket: chromadbBucket.bucketName,
        bucketKey: this.keys.chromadb,
        maxConcurrency: settings.max_concurrency,
        childExecutionType: settings.child_execution_type,
        schedules: [
          {
            stem: 'realtime',
            expression: settings.realtime_schedule,
            input: { filter_by_embedding_status: 'NONE' },
          },
          { stem: 'full-run', expression: settings.full_run_schedule },
        ],
      },
      parent,
    );
    const batch = (schedule: WorkflowSchedule): WorkflowArgs => ({
      ...common,
      bucket: batchBucket.bucketName,
      bucketKey: this.keys.batch,
      maxConcurrency: settings.batch_max_concurrency,
      schedules: [schedule],
    });
    return {
      realtime,
      submit: new BatchSubmitWorkflow(
        'batch-submit-embedding',
        batch({ stem: 'batch-submit', expression: settings.batch_submit_schedule }),
        parent,
      ),
      poll: new BatchPollWorkflow(
        'batch-poll-embedding',
        batch({ stem: 'batch-poll', expression: settings.batch_poll_schedule }),
        parent,
      ),
    };
  }

  private createMonitoring(
    functions: LambdaFunctions,
    workflows: readonly Workflow[],
    queues: ArrivalQueues | undefined,
  ): Monitoring {
    return new Monitoring(
      'monitoring',
      {
        functions: functions.all,
        queues:
          queues === undefined
            ? undefined
            : { waiting: queues.waiting.name, failed: queues.failed.name },
        workflows: workflows.map(({ name, arn }) => ({ name, arn })),
        alertEmail: this.args.settings.alert_email,
      },
      { parent: this },
    );
  }

  /**
   * Says how what the stack has created will be removed one day: nobody should have to find that out from a refusal. Of a
   * stack that has adopted all of it there is nothing to say.
   */
  private sayWhatIsProtected(): void {
    const { settings } = this.args;
    const adopted = [
      settings.dynamodb_table_name,
      settings.chromadb_bucket_name,
      settings.batch_bucket_name,
      ...(settings.vector_stores.includes('s3_vectors') ? [undefined] : []),
    ];
    if (!adopted.includes(undefined)) return;
    const stack = pulumi.getStack();
    void pulumi.log.info(
      `what holds data is protected: to remove it, npx pulumi config set --stack ${stack} protect_data false; ` +
        `npx pulumi up --stack ${stack}; npx pulumi destroy --stack ${stack}`,
      this,
    );
  }
}

/** Both settings, or neither. */
function networkOf(settings: Settings): Network | undefined {
  const { vpc_subnet_ids: subnetIds, vpc_security_group_ids: securityGroupIds } = settings;
  return subnetIds === undefined || securityGroupIds === undefined
    ? undefined
    : { subnetIds, securityGroupIds };
}

/** A function reads a setting under the setting's name in capitals: `embedding_model` is `EMBEDDING_MODEL`. */
function settingVariables(settings: Settings): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name.toUpperCase(), String(value)]),
  );
}

/**
 * Tags everything that AWS lets tag, which is what has `tags` among its arguments, set or not. The provider's `defaultTags` would
 * need a provider of the program's own, which knows nothing of the stack's `aws:…` settings: its profile, the role it assumes,
 * the tags of its owners.
 */
function withStackTags({
  props,
  opts,
}: pulumi.ResourceTransformationArgs): pulumi.ResourceTransformationResult | undefined {
  const { tags, ...others } = props as { readonly tags?: Record<string, pulumi.Input<string>> };
  if (!('tags' in props)) return undefined;
  const stackTags = {
    Project: pulumi.getProject(),
    Stack: pulumi.getStack(),
    ManagedBy: 'pulumi',
  };
  return { props: { ...others, tags: { ...stackTags, ...tags } }, opts };
}
