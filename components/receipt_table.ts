import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import type { Tags } from './tags.ts';

export interface ReceiptTableArgs {
  /**
   * Adopt the table of this name.
   *
   * @default a new one is created.
   */
  readonly existing?: string;
  /** Keep Pulumi from deleting a table that it created. */
  readonly protect: boolean;
  readonly tags: Tags;
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

  private createTable(name: string, { protect, tags }: ReceiptTableArgs): aws.dynamodb.Table {
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
        tags,
      },
      { parent: this, protect },
    );
  }
}
