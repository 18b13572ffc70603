import * as pulumi from '@pulumi/pulumi';
import { ApiKeySecret } from './api_key_secret.ts';
import type { Bundles } from './bundling/bundle_all.ts';
import { LambdaFunctions } from './lambda_functions.ts';
import { checkStackName } from './names.ts';
import { PrivateBucket } from './private_bucket.ts';
import { RealtimeEmbeddingWorkflow } from './realtime_workflow.ts';
import { ReceiptTable } from './receipt_table.ts';
import type { Settings } from './settings.ts';
import { RUN_FILES } from './state_machines/run_files.ts';
import { stackTags, type Tags } from './tags.ts';

export interface EmbeddingInfrastructureArgs {
  readonly settings: Settings;
  /** Secrets of the stack's configuration. */
  readonly secrets: {
    readonly openai_api_key: pulumi.Input<string>;
    /** @default Google Places is not asked. */
    readonly google_places_api_key?: pulumi.Input<string> | undefined;
  };
  /** Where the bundles are, written before. */
  readonly bundles: Bundles;
}

/** How long an execution's list of receipts and its results are kept. */
const RUN_FILE_DAYS = 30;

/** Everything that a stack deploys. */
export class EmbeddingInfrastructure extends pulumi.ComponentResource {
  public readonly realtimeEmbeddingSfArn: pulumi.Output<string>;
  public readonly chromadbBucketName: pulumi.Output<string>;
  public readonly dynamodbTableName: pulumi.Output<string>;
  private readonly args: EmbeddingInfrastructureArgs;
  private readonly tags: Tags;
  private readonly protectData: boolean;

  constructor(
    name: string,
    args: EmbeddingInfrastructureArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super('receipts:index:EmbeddingInfrastructure', name, {}, opts);
    checkStackName(pulumi.getStack());
    this.args = args;
    this.tags = stackTags();
    this.protectData = args.settings.protect_data ?? pulumi.getStack() !== 'dev';
    const table = this.createTable();
    const bucket = this.createBucket();
    const functions = this.createFunctions(table, bucket);
    const realtime = this.createRealtimeWorkflow(functions, bucket);
    this.realtimeEmbeddingSfArn = realtime.arn;
    this.chromadbBucketName = bucket.bucketName;
    this.dynamodbTableName = table.name;
    this.registerOutputs({
      realtimeEmbeddingSfArn: this.realtimeEmbeddingSfArn,
      chromadbBucketName: this.chromadbBucketName,
      dynamodbTableName: this.dynamodbTableName,
    });
  }

  private createTable(): ReceiptTable {
    const { dynamodb_table_name: existing } = this.args.settings;
    return new ReceiptTable(
      'receipts',
      {
        ...(existing === undefined ? {} : { existing }),
        protect: this.protectData,
        tags: this.tags,
      },
      { parent: this },
    );
  }

  private createBucket(): PrivateBucket {
    const { chromadb_bucket_name: existing } = this.args.settings;
    return new PrivateBucket(
      'chromadb',
      {
        ...(existing === undefined ? {} : { existing }),
        protect: this.protectData,
        expirations: [{ prefix: RUN_FILES.prefix, days: RUN_FILE_DAYS }],
        tags: this.tags,
      },
      { parent: this },
    );
  }

  private createFunctions(table: ReceiptTable, bucket: PrivateBucket): LambdaFunctions {
    const { settings, secrets, bundles } = this.args;
    const { openai_base_url: baseUrl, chroma_http_endpoint: chromaHttpEndpoint } = settings;
    const placesKey = secrets.google_places_api_key;
    return new LambdaFunctions(
      'functions',
      {
        bundles,
        table: { name: table.name, arn: table.arn },
        chromadbBucket: { name: bucket.bucketName, arn: bucket.arn },
        embedding: {
          model: settings.embedding_model,
          dimensions: settings.embedding_dimensions,
        },
        openai: {
          apiKeySecretArn: this.createSecret('openai-api-key', secrets.openai_api_key),
          ...(baseUrl === undefined ? {} : { baseUrl }),
        },
        ...(placesKey === undefined
          ? {}
          : {
              googlePlacesApiKeySecretArn: this.createSecret('google-places-api-key', placesKey),
            }),
        ...(chromaHttpEndpoint === undefined ? {} : { chromaHttpEndpoint }),
        logRetentionDays: settings.log_retention_days,
        tags: this.tags,
      },
      { parent: this },
    );
  }

  private createSecret(what: string, value: pulumi.Input<string>): pulumi.Output<string> {
    return new ApiKeySecret(
      `receipt-embedding-${what}`,
      { value, recoverable: this.protectData, tags: this.tags },
      { parent: this },
    ).arn;
  }

  private createRealtimeWorkflow(
    functions: LambdaFunctions,
    bucket: PrivateBucket,
  ): RealtimeEmbeddingWorkflow {
    const { settings } = this.args;
    return new RealtimeEmbeddingWorkflow(
      'realtime-embedding',
      {
        functions: {
          findReceipts: functions.findReceiptsRealtime.arn,
          processReceipt: functions.processReceiptRealtime.arn,
          summarizeRun: functions.summarizeRealtimeRun.arn,
        },
        bucket: bucket.bucketName,
        maxConcurrency: settings.max_concurrency,
        childExecutionType: settings.child_execution_type,
        toleratedFailurePercentage: settings.tolerated_failure_percentage,
        logRetentionDays: settings.log_retention_days,
        tags: this.tags,
      },
      { parent: this },
    );
  }
}
