import * as pulumi from '@pulumi/pulumi';
import type { Bundles } from './bundling/bundle_all.ts';
import { EmbeddingFunction } from './embedding_function.ts';
import type { FunctionName } from './function_names.ts';
import type { PolicyStatement } from './iam.ts';
import { SharedLayer } from './lambda_layer.ts';
import { functionPurpose } from './names.ts';
import { RUN_FILES } from './state_machines/run_files.ts';
import type { Tags } from './tags.ts';

export interface LambdaFunctionsArgs {
  readonly bundles: Bundles;
  readonly table: { readonly name: pulumi.Input<string>; readonly arn: pulumi.Input<string> };
  readonly chromadbBucket: {
    readonly name: pulumi.Input<string>;
    readonly arn: pulumi.Input<string>;
  };
  readonly embedding: { readonly model: string; readonly dimensions: number };
  readonly openai: {
    readonly apiKeySecretArn: pulumi.Input<string>;
    /** @default OpenAI's own. */
    readonly baseUrl?: string;
  };
  /**
   * Ask Google Places for merchants that nobody knows.
   *
   * @default it is not asked.
   */
  readonly googlePlacesApiKeySecretArn?: pulumi.Input<string>;
  /**
   * Ask this Chroma server for merchants that nobody knows.
   *
   * @default none is asked.
   */
  readonly chromaHttpEndpoint?: string;
  readonly logRetentionDays: number;
  readonly tags: Tags;
}

/** What a function may do, and the environment variables that go with it. */
interface Grant {
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  readonly statements: readonly PolicyStatement[];
}

const FIFTEEN_MINUTES = 900;

/** All functions, each with its least privilege, on the shared layer. */
export class LambdaFunctions extends pulumi.ComponentResource {
  public readonly findReceiptsRealtime: EmbeddingFunction;
  public readonly processReceiptRealtime: EmbeddingFunction;
  public readonly summarizeRealtimeRun: EmbeddingFunction;
  private readonly args: LambdaFunctionsArgs;
  private readonly layer: SharedLayer;

  constructor(name: string, args: LambdaFunctionsArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:lambda:LambdaFunctions', name, {}, opts);
    this.args = args;
    this.layer = new SharedLayer(
      'receipt-embedding-layer',
      { folder: args.bundles.layer },
      { parent: this },
    );
    this.findReceiptsRealtime = this.createFunction('find_receipts_realtime', 1_024, [
      this.grantTable([{ actions: ['dynamodb:Query'], indexes: ['GSI1', 'GSITYPE'] }]),
      this.grantBucket([{ actions: ['s3:PutObject'], keys: [RUN_FILES.manifest('*')] }]),
    ]);
    this.processReceiptRealtime = this.createFunction('process_receipt_realtime', 2_048, [
      this.grantTable([
        {
          actions: [
            'dynamodb:Query',
            'dynamodb:GetItem',
            'dynamodb:PutItem',
            'dynamodb:UpdateItem',
          ],
        },
        { actions: ['dynamodb:Query'], indexes: ['GSI3'] },
      ]),
      this.grantBucket([
        {
          actions: ['s3:PutObject'],
          keys: ['lines/delta/*/delta.tar.gz', 'words/delta/*/delta.tar.gz'],
        },
      ]),
      this.grantEmbedding(),
      this.grantMerchantLookup(),
    ]);
    this.summarizeRealtimeRun = this.createFunction('summarize_realtime_run', 1_024, [
      {
        environment: { EMBEDDING_MODEL: args.embedding.model },
        statements: [
          {
            actions: ['s3:GetObject'],
            resources: [this.objects(`${RUN_FILES.results('*')}/*`)],
          },
        ],
      },
    ]);
    this.registerOutputs({
      findReceiptsRealtime: this.findReceiptsRealtime.arn,
      processReceiptRealtime: this.processReceiptRealtime.arn,
      summarizeRealtimeRun: this.summarizeRealtimeRun.arn,
    });
  }

  private createFunction(
    folder: FunctionName,
    memorySize: number,
    grants: readonly Grant[],
  ): EmbeddingFunction {
    const what = functionPurpose(folder);
    return new EmbeddingFunction(
      what,
      {
        what,
        folder: this.args.bundles.handler(folder),
        layerArn: this.layer.arn,
        memorySize,
        timeout: FIFTEEN_MINUTES,
        environment: Object.assign({}, ...grants.map(({ environment }) => environment)) as Record<
          string,
          pulumi.Input<string>
        >,
        statements: grants.flatMap(({ statements }) => statements),
        logRetentionDays: this.args.logRetentionDays,
        tags: this.args.tags,
      },
      { parent: this },
    );
  }

  private grantTable(
    uses: readonly { readonly actions: readonly string[]; readonly indexes?: readonly string[] }[],
  ): Grant {
    const { name, arn } = this.args.table;
    return {
      environment: { DYNAMODB_TABLE_NAME: name },
      statements: uses.map(({ actions, indexes }) => ({
        actions,
        resources: indexes?.map((index) => pulumi.interpolate`${arn}/index/${index}`) ?? [arn],
      })),
    };
  }

  private grantBucket(
    uses: readonly { readonly actions: readonly string[]; readonly keys: readonly string[] }[],
  ): Grant {
    return {
      environment: { CHROMADB_BUCKET: this.args.chromadbBucket.name },
      statements: uses.map(({ actions, keys }) => ({
        actions,
        resources: keys.map((key) => this.objects(key)),
      })),
    };
  }

  private objects(key: string): pulumi.Output<string> {
    return pulumi.interpolate`${this.args.chromadbBucket.arn}/${key}`;
  }

  private grantEmbedding(): Grant {
    const { embedding, openai } = this.args;
    return {
      environment: {
        EMBEDDING_MODEL: embedding.model,
        EMBEDDING_DIMENSIONS: String(embedding.dimensions),
        OPENAI_API_KEY_SECRET_ARN: openai.apiKeySecretArn,
        ...(openai.baseUrl === undefined ? {} : { OPENAI_BASE_URL: openai.baseUrl }),
      },
      statements: [readSecret(openai.apiKeySecretArn)],
    };
  }

  private grantMerchantLookup(): Grant {
    const { chromaHttpEndpoint, googlePlacesApiKeySecretArn: placesArn } = this.args;
    return {
      environment: {
        ...(chromaHttpEndpoint === undefined ? {} : { CHROMA_HTTP_ENDPOINT: chromaHttpEndpoint }),
        ...(placesArn === undefined ? {} : { GOOGLE_PLACES_API_KEY_SECRET_ARN: placesArn }),
      },
      statements: placesArn === undefined ? [] : [readSecret(placesArn)],
    };
  }
}

function readSecret(arn: pulumi.Input<string>): PolicyStatement {
  return { actions: ['secretsmanager:GetSecretValue'], resources: [arn] };
}
