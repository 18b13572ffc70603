import {
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import type { TableDescription } from './pulumi_program.ts';

/** A table as a program registers it, as far as it is needed here. */
export type TableState = TableDescription & { readonly name: string };

/** Lets the tables be there that the program finds. */
export async function createExistingTables(
  tables: Readonly<Record<string, TableDescription>>,
  dynamodb: DynamoDBClient,
): Promise<void> {
  for (const [name, table] of Object.entries(tables)) {
    await createTable({ ...table, name }, dynamodb);
  }
}

export async function createTable(state: TableState, dynamodb: DynamoDBClient): Promise<void> {
  await dynamodb.send(new CreateTableCommand(tableDefinition(state)));
}

function tableDefinition({
  name,
  hashKey,
  rangeKey,
  attributes,
  globalSecondaryIndexes,
  ...table
}: TableState): CreateTableCommandInput {
  const indexes = globalSecondaryIndexes?.map((index) => ({
    IndexName: index.name,
    KeySchema: index.keySchemas.map(({ attributeName, keyType }) => ({
      AttributeName: attributeName,
      KeyType: keyType,
    })),
    Projection: {
      ProjectionType: index.projectionType,
      ...(index.nonKeyAttributes && { NonKeyAttributes: index.nonKeyAttributes }),
    },
  }));
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: attributes.map((attribute) => ({
      AttributeName: attribute.name,
      AttributeType: attribute.type,
    })),
    KeySchema: [
      { AttributeName: hashKey, KeyType: 'HASH' },
      ...(rangeKey === undefined ? [] : [{ AttributeName: rangeKey, KeyType: 'RANGE' as const }]),
    ],
    ...(indexes && { GlobalSecondaryIndexes: indexes }),
    ...(table.streamEnabled === true && {
      StreamSpecification: { StreamEnabled: true, StreamViewType: table.streamViewType },
    }),
  };
}
