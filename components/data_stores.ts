import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { BATCH_FILES, DELTAS, EXECUTION_FILES } from 'receipt-embedding/object_keys';
import { PrivateBucket } from './private_bucket.ts';
import type { Settings } from './settings.ts';
import { keySchemaOf, TABLE_FORM, TABLE_KEYS } from './table_form.ts';
import { VectorBucket } from './vector_bucket.ts';

interface DataStoresArgs {
  readonly settings: Settings;
  /** Keep Pulumi from deleting what it created. */
  readonly protect: boolean;
}

/** Where a stack's data lies. */
export interface DataStores {
  readonly table: ReceiptTable;
  readonly chromadbBucket: PrivateBucket;
  readonly batchBucket: PrivateBucket;
  /** Of a stack that has the store `s3_vectors`. */
  readonly vectorBucket: VectorBucket | undefined;
}

/**
 * How long lists, requests and results are kept. OpenAI keeps a batch's files as long (docs/data_model.md §4), so what
 * goes here is of no more use.
 */
const FILE_DAYS = 30;

/**
 * How long a delta can be had back after it was deleted or replaced. The deltas that are there are the log of all that was paid
 * for: they never expire.
 */
const DELETED_DELTA_DAYS = 30;

/** Adopts the table and the buckets that the settings name, and creates the others. */
export function createDataStores(
  { settings, protect }: DataStoresArgs,
  options: pulumi.ComponentResourceOptions,
): DataStores {
  const createBucket = (
    name: string,
    existing: string | undefined,
    prefixes: readonly string[],
    keptPrefixes: readonly string[] = [],
  ): PrivateBucket => {
    const expirations = [
      ...prefixes.map((prefix) => ({ prefix, days: FILE_DAYS })),
      ...keptPrefixes.map((prefix) => ({
        prefix,
        days: DELETED_DELTA_DAYS,
        oldVersionsAlone: true,
      })),
    ];
    return new PrivateBucket(name, { existing, protect, expirations }, options);
  };
  return {
    table: new ReceiptTable(
      'receipts',
      { existing: settings.dynamodb_table_name, protect },
      options,
    ),
    chromadbBucket: createBucket(
      'chromadb',
      settings.chromadb_bucket_name,
      [EXECUTION_FILES.realtime.prefix],
      Object.values(DELTAS),
    ),
    batchBucket: createBucket('batch', settings.batch_bucket_name, [
      BATCH_FILES.prefix,
      EXECUTION_FILES.batch_submit.prefix,
      EXECUTION_FILES.batch_poll.prefix,
    ]),
    vectorBucket: settings.vector_stores.includes('s3_vectors')
      ? new VectorBucket(
          'vector',
          {
            model: settings.embedding_model,
            dimensions: settings.embedding_dimensions,
            protect,
          },
          options,
        )
      : undefined,
  };
}

export interface ReceiptTableArgs {
  /**
   * Adopt the table of this name.
   *
   * @default a new one is created.
   */
  readonly existing?: string | undefined;
  /** Keep Pulumi from deleting a table that it created. */
  readonly protect: boolean;
}

/** The table of receipts, lines and words (docs/data_model.md §1): the users' own, or a new one. */
export class ReceiptTable extends pulumi.ComponentResource {
  public readonly name: pulumi.Output<string>;
  public readonly arn: pulumi.Output<string>;
  /** Empty where an adopted table has no stream. */
  public readonly streamArn: pulumi.Output<string>;

  constructor(name: string, args: ReceiptTableArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:data:ReceiptTable', name, {}, opts);
    const table =
      args.existing === undefined
        ? this.createTable(name, args)
        : aws.dynamodb.getTableOutput({ name: args.existing }, { parent: this });
    this.name = pulumi.output(table.name);
    this.arn = pulumi.output(table.arn);
    this.streamArn = pulumi.output(table.streamArn);
    this.registerOutputs({ name: this.name, arn: this.arn, streamArn: this.streamArn });
  }

  private createTable(name: string, { protect }: ReceiptTableArgs): aws.dynamodb.Table {
    return new aws.dynamodb.Table(
      `${name}-table`,
      {
        billingMode: 'PAY_PER_REQUEST',
        hashKey: TABLE_FORM.hashKey,
        rangeKey: TABLE_FORM.rangeKey,
        attributes: TABLE_KEYS.map((key) => ({ name: key, type: 'S' })),
        globalSecondaryIndexes: Object.entries(TABLE_FORM.indexes).map(([index, keys]) => ({
          name: index,
          keySchemas: keySchemaOf(keys),
          projectionType: 'ALL',
        })),
        pointInTimeRecovery: { enabled: true },
        serverSideEncryption: { enabled: true },
        streamEnabled: true,
        streamViewType: TABLE_FORM.streamViewType,
        ttl: { attributeName: TABLE_FORM.ttl, enabled: true },
        deletionProtectionEnabled: protect,
      },
      { parent: this, protect },
    );
  }
}
