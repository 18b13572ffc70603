import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { BATCH_FILES, EXECUTION_FILES } from 'receipt-embedding/object_keys';
import { PrivateBucket } from './private_bucket.ts';
import type { Settings } from './settings.ts';

interface DataStoresArgs {
  readonly settings: Settings;
  /** Whether the stack has the batch path, and so its bucket. */
  readonly batchPath: boolean;
  /** Keep Pulumi from deleting what it created. */
  readonly protect: boolean;
}

/** Where a stack's data lies. */
export interface DataStores {
  readonly table: ReceiptTable;
  readonly chromadbBucket: PrivateBucket;
  readonly batchBucket: PrivateBucket | undefined;
}

/**
 * How long lists, requests and results are kept. OpenAI keeps a batch's files as long (docs/data_model.md §4), so what
 * goes here is of no more use.
 */
const FILE_DAYS = 30;

/** Adopts the table and the buckets that the settings name, and creates the others. */
export function createDataStores(
  { settings, batchPath, protect }: DataStoresArgs,
  options: pulumi.ComponentResourceOptions,
): DataStores {
  const createBucket = (
    name: string,
    existing: string | undefined,
    prefixes: readonly string[],
  ): PrivateBucket => {
    const expirations = prefixes.map((prefix) => ({ prefix, days: FILE_DAYS }));
    return new PrivateBucket(name, { existing, protect, expirations }, options);
  };
  return {
    table: new ReceiptTable(
      'receipts',
      { existing: settings.dynamodb_table_name, protect },
      options,
    ),
    chromadbBucket: createBucket('chromadb', settings.chromadb_bucket_name, [
      EXECUTION_FILES.realtime.prefix,
    ]),
    batchBucket: batchPath
      ? createBucket('batch', settings.batch_bucket_name, [
          BATCH_FILES.prefix,
          EXECUTION_FILES.batch_submit.prefix,
          EXECUTION_FILES.batch_poll.prefix,
        ])
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

const INDEXES = ['GSI1', 'GSI2', 'GSI3'] as const;

/** The table of receipts, lines and words (docs/data_model.md §1): the users' own, or a new one. */
export class ReceiptTable extends pulumi.ComponentResource {
  public readonly name: pulumi.Output<string>;
  public readonly arn: pulumi.Output<string>;

  constructor(name: string, args: ReceiptTableArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:data:ReceiptTable', name, {}, opts);
    const table =
      args.existing === undefined
        ? this.createTable(name, args)
        : aws.dynamodb.getTableOutput({ name: args.existing }, { parent: this });
    this.name = pulumi.output(table.name);
    this.arn = pulumi.output(table.arn);
    this.registerOutputs({ name: this.name, arn: this.arn });
  }

  private createTable(name: string, { protect }: ReceiptTableArgs): aws.dynamodb.Table {
    const keys = ['PK', 'SK', ...INDEXES.flatMap((index) => [`${index}PK`, `${index}SK`]), 'TYPE'];
    return new aws.dynamodb.Table(
      `${name}-table`,
      {
        billingMode: 'PAY_PER_REQUEST',
        hashKey: 'PK',
        rangeKey: 'SK',
        attributes: keys.map((key) => ({ name: key, type: 'S' })),
        globalSecondaryIndexes: [
          ...INDEXES.map((index) => ({
            name: index,
            keySchemas: [
              { attributeName: `${index}PK`, keyType: 'HASH' },
              { attributeName: `${index}SK`, keyType: 'RANGE' },
            ],
            projectionType: 'ALL',
          })),
          {
            name: 'GSITYPE',
            keySchemas: [{ attributeName: 'TYPE', keyType: 'HASH' }],
            projectionType: 'ALL',
          },
        ],
        pointInTimeRecovery: { enabled: true },
        serverSideEncryption: { enabled: true },
        streamEnabled: true,
        streamViewType: 'NEW_AND_OLD_IMAGES',
        ttl: { attributeName: 'time_to_live', enabled: true },
        deletionProtectionEnabled: protect,
      },
      { parent: this, protect },
    );
  }
}
