import { setImmediate } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { DynamoDBStandIn } from 'embedded-aws/dynamodb/dynamodb_stand_in';
import { type RunningServer, serve } from 'embedded-aws/http/server';
import { translateErrors } from 'receipt-embedding/aws_clients';
import type { Row, RowKey } from 'receipt-embedding/entities/keys';
import {
  receiptLineCodec,
  receiptWordCodec,
  receiptWordLabelCodec,
} from 'receipt-embedding/entities/line_and_word';
import { receiptCodec, receiptMetadataCodec } from 'receipt-embedding/entities/receipt';
import type { Table } from 'receipt-embedding/table/table';
import { z } from 'zod';

const INDEXES = ['GSI1', 'GSI2', 'GSI3'] as const;

/** Entities to rows, by what they are. */
export const rowOf = {
  receipt: (entity: z.output<typeof receiptCodec>): Row => z.encode(receiptCodec, entity),
  line: (entity: z.output<typeof receiptLineCodec>): Row => z.encode(receiptLineCodec, entity),
  word: (entity: z.output<typeof receiptWordCodec>): Row => z.encode(receiptWordCodec, entity),
  label: (entity: z.output<typeof receiptWordLabelCodec>): Row =>
    z.encode(receiptWordLabelCodec, entity),
  metadata: (entity: z.output<typeof receiptMetadataCodec>): Row =>
    z.encode(receiptMetadataCodec, entity),
};

/** The users' table (docs/data_model.md §1), empty, on a DynamoDB in this process. */
export class ReceiptTable implements Table {
  readonly client: DynamoDBClient;
  readonly name = 'receipts';
  readonly #server: RunningServer;

  private constructor(server: RunningServer) {
    this.#server = server;
    this.client = translateErrors(
      new DynamoDBClient({
        endpoint: server.url,
        region: 'us-east-1',
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
        maxAttempts: 1,
      }),
    );
  }

  static async start(): Promise<ReceiptTable> {
    const stand = new DynamoDBStandIn({ region: 'us-east-1', accountId: '000000000000' });
    const table = new ReceiptTable(await serve(stand.handle, 0));
    await table.#create();
    while (!(await table.#isActive())) await setImmediate();
    return table;
  }

  async close(): Promise<void> {
    this.client.destroy();
    await this.#server.close();
  }

  /** Puts rows as they are, whatever they are. */
  async put(...rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      await this.client.send(
        new PutItemCommand({
          TableName: this.name,
          Item: marshall(row, { removeUndefinedValues: true }),
        }),
      );
    }
  }

  async get({ PK, SK }: RowKey): Promise<Row | undefined> {
    const { Item } = await this.client.send(
      new GetItemCommand({ TableName: this.name, Key: marshall({ PK, SK }), ConsistentRead: true }),
    );
    return Item === undefined ? undefined : (unmarshall(Item) as Row);
  }

  /** A table that was created can be asked for a moment later, as in AWS. */
  async #isActive(): Promise<boolean> {
    const { Table: described } = await this.client.send(
      new DescribeTableCommand({ TableName: this.name }),
    );
    return described?.TableStatus === 'ACTIVE';
  }

  async #create(): Promise<void> {
    const keys = ['PK', 'SK', ...INDEXES.flatMap((index) => [`${index}PK`, `${index}SK`]), 'TYPE'];
    await this.client.send(
      new CreateTableCommand({
        TableName: this.name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: keys.map((name) => ({ AttributeName: name, AttributeType: 'S' })),
        KeySchema: [
          { AttributeName: 'PK', KeyType: 'HASH' },
          { AttributeName: 'SK', KeyType: 'RANGE' },
        ],
        GlobalSecondaryIndexes: [
          ...INDEXES.map((index) => ({
            IndexName: index,
            KeySchema: [
              { AttributeName: `${index}PK`, KeyType: 'HASH' as const },
              { AttributeName: `${index}SK`, KeyType: 'RANGE' as const },
            ],
            Projection: { ProjectionType: 'ALL' as const },
          })),
          {
            IndexName: 'GSITYPE',
            KeySchema: [{ AttributeName: 'TYPE', KeyType: 'HASH' }],
            Projection: { ProjectionType: 'ALL' },
          },
        ],
      }),
    );
  }
}
