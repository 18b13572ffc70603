import * as pulumi from '@pulumi/pulumi';
import { type ApiKeys, type ApiKeySecretArns, createApiKeySecrets } from './api_keys.ts';
import { type BatchWorkflows, createBatchWorkflows } from './batch_workflows.ts';
import type { Bundles } from './bundling/bundles.ts';
import { createDataStores, type DataStores } from './data_stores.ts';
import { arnsOf, LambdaFunctions, type LambdaFunctionsArgs } from './lambda_functions.ts';
import type { MonitoredWorkflow } from './monitoring/metrics.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import { checkStackName } from './names.ts';
import { RealtimeEmbeddingWorkflow } from './realtime_workflow.ts';
import type { Settings } from './settings.ts';
import { sayThatBatchPathIsMissing, sayWhatIsProtected } from './stack_notices.ts';
import { stackTags, type Tags } from './tags.ts';

export interface EmbeddingInfrastructureArgs {
  readonly settings: Settings;
  /** Without Google's key Places is not asked; without Pinecone's (and its index) the stack has no batch path. */
  readonly secrets: ApiKeys;
  /** Where the bundles are, written before. */
  readonly bundles: Bundles;
}

/** Everything that a stack deploys. */
export class EmbeddingInfrastructure extends pulumi.ComponentResource {
  public readonly realtimeEmbeddingSfArn: pulumi.Output<string>;
  public readonly chromadbBucketName: pulumi.Output<string>;
  public readonly dynamodbTableName: pulumi.Output<string>;
  /** Undefined in a stack without the batch path, as are the two below. */
  public readonly batchSubmitSfArn: pulumi.Output<string> | undefined;
  public readonly batchPollSfArn: pulumi.Output<string> | undefined;
  public readonly batchBucketName: pulumi.Output<string> | undefined;
  public readonly alertTopicArn: pulumi.Output<string>;
  public readonly dashboardUrl: pulumi.Output<string>;
  private readonly args: EmbeddingInfrastructureArgs;
  private readonly tags: Tags;

  constructor(
    name: string,
    args: EmbeddingInfrastructureArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super('receipts:index:EmbeddingInfrastructure', name, {}, opts);
    checkStackName(pulumi.getStack());
    this.args = args;
    this.tags = stackTags();
    const { settings } = args;
    const protect = settings.protect_data ?? pulumi.getStack() !== 'dev';
    const batchPath = this.hasBatchPath();
    if (!batchPath) sayThatBatchPathIsMissing(this);
    if (protect) sayWhatIsProtected(settings, batchPath, this);
    const stores = createDataStores(
      { settings, batchPath, protect, tags: this.tags },
      { parent: this },
    );
    const secrets = createApiKeySecrets({ keys: args.secrets, tags: this.tags }, { parent: this });
    const functions = this.createFunctions(stores, secrets);
    const batch = this.createBatchWorkflows(functions, stores);
    this.realtimeEmbeddingSfArn = this.createRealtimeWorkflow(functions, stores).arn;
    this.chromadbBucketName = stores.chromadbBucket.bucketName;
    this.dynamodbTableName = stores.table.name;
    this.batchSubmitSfArn = batch?.submit.arn;
    this.batchPollSfArn = batch?.poll.arn;
    this.batchBucketName = stores.batchBucket?.bucketName;
    const monitoring = this.createMonitoring(functions);
    this.alertTopicArn = monitoring.topicArn;
    this.dashboardUrl = monitoring.dashboardUrl;
    this.registerOutputs({
      realtimeEmbeddingSfArn: this.realtimeEmbeddingSfArn,
      chromadbBucketName: this.chromadbBucketName,
      dynamodbTableName: this.dynamodbTableName,
      batchSubmitSfArn: this.batchSubmitSfArn,
      batchPollSfArn: this.batchPollSfArn,
      batchBucketName: this.batchBucketName,
      alertTopicArn: this.alertTopicArn,
      dashboardUrl: this.dashboardUrl,
    });
  }

  private createMonitoring(functions: LambdaFunctions): Monitoring {
    const { alert_email: alertEmail } = this.args.settings;
    const workflow = (
      name: string,
      arn: pulumi.Output<string> | undefined,
    ): readonly MonitoredWorkflow[] => (arn === undefined ? [] : [{ name, arn }]);
    return new Monitoring(
      'monitoring',
      {
        functions: functions.all,
        workflows: [
          ...workflow('realtime-embedding', this.realtimeEmbeddingSfArn),
          ...workflow('batch-submit-embedding', this.batchSubmitSfArn),
          ...workflow('batch-poll-embedding', this.batchPollSfArn),
        ],
        ...(alertEmail === undefined ? {} : { alertEmail }),
        tags: this.tags,
      },
      { parent: this },
    );
  }

  /** Its vectors go to Pinecone: where that is not configured, there is nothing to deploy. */
  private hasBatchPath(): boolean {
    const { settings, secrets } = this.args;
    return settings.pinecone_index_name !== undefined && secrets.pinecone_api_key !== undefined;
  }

  private createFunctions(stores: DataStores, secrets: ApiKeySecretArns): LambdaFunctions {
    const { settings, bundles } = this.args;
    const { openai_base_url: baseUrl, chroma_http_endpoint: chromaHttpEndpoint } = settings;
    const batch = this.batchFunctionsArgs(stores, secrets);
    return new LambdaFunctions(
      'functions',
      {
        bundles,
        table: stores.table,
        chromadbBucket: stores.chromadbBucket,
        embedding: {
          model: settings.embedding_model,
          dimensions: settings.embedding_dimensions,
        },
        openai: {
          apiKeySecretArn: secrets.openai,
          ...(baseUrl === undefined ? {} : { baseUrl }),
        },
        ...(secrets.googlePlaces === undefined
          ? {}
          : { googlePlacesApiKeySecretArn: secrets.googlePlaces }),
        ...(chromaHttpEndpoint === undefined ? {} : { chromaHttpEndpoint }),
        ...(batch === undefined ? {} : { batch }),
        logRetentionDays: settings.log_retention_days,
        tags: this.tags,
      },
      { parent: this },
    );
  }

  private batchFunctionsArgs(
    { batchBucket }: DataStores,
    { pinecone: apiKeySecretArn }: ApiKeySecretArns,
  ): LambdaFunctionsArgs['batch'] {
    const {
      pinecone_index_name: indexName,
      pinecone_host: host,
      batch_max_tokens,
    } = this.args.settings;
    if (batchBucket === undefined || apiKeySecretArn === undefined || indexName === undefined) {
      return undefined;
    }
    return {
      batchBucket,
      pinecone: { apiKeySecretArn, indexName, ...(host === undefined ? {} : { host }) },
      batchMaxTokens: batch_max_tokens,
    };
  }

  private createRealtimeWorkflow(
    functions: LambdaFunctions,
    { chromadbBucket }: DataStores,
  ): RealtimeEmbeddingWorkflow {
    const { settings } = this.args;
    return new RealtimeEmbeddingWorkflow(
      'realtime-embedding',
      {
        functions: arnsOf(functions.realtime),
        bucket: chromadbBucket.bucketName,
        maxConcurrency: settings.max_concurrency,
        childExecutionType: settings.child_execution_type,
        toleratedFailurePercentage: settings.tolerated_failure_percentage,
        logRetentionDays: settings.log_retention_days,
        tags: this.tags,
      },
      { parent: this },
    );
  }

  private createBatchWorkflows(
    { batch: functions }: LambdaFunctions,
    { batchBucket }: DataStores,
  ): BatchWorkflows | undefined {
    if (functions === undefined || batchBucket === undefined) return undefined;
    const { settings } = this.args;
    return createBatchWorkflows(
      { functions, bucket: batchBucket.bucketName, settings, tags: this.tags },
      { parent: this },
    );
  }
}
