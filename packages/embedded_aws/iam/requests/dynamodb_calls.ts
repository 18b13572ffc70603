import type { Call } from '../call.ts';

/** Where DynamoDB's requests say which tables they are about. */
export interface TableRequest {
  readonly TableName?: string;
  readonly IndexName?: string;
  /** BatchGetItem and BatchWriteItem: by table. */
  readonly RequestItems?: Readonly<Record<string, unknown>>;
  /** TransactGetItems and TransactWriteItems: each item is one of several kinds, by its name. */
  readonly TransactItems?: readonly Readonly<Record<string, { readonly TableName: string }>>[];
}

/** What the parts of a transaction are allowed by; a transaction has no action of its own. */
const TRANSACTION_ACTIONS: Readonly<Record<string, string>> = {
  Get: 'GetItem',
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
};

/** @param tableArn the ARN of the table of this name. */
export function dynamodbCalls(
  operation: string,
  { TableName, IndexName, RequestItems, TransactItems }: TableRequest,
  tableArn: (name: string) => string,
): Call[] {
  const action = `dynamodb:${operation}`;
  if (TransactItems !== undefined) {
    return TransactItems.flatMap((item) =>
      Object.entries(item).map(([kind, { TableName: table }]) => ({
        action: `dynamodb:${TRANSACTION_ACTIONS[kind] ?? kind}`,
        resource: tableArn(table),
      })),
    );
  }
  if (RequestItems !== undefined) {
    return Object.keys(RequestItems).map((table) => ({ action, resource: tableArn(table) }));
  }
  if (TableName === undefined) return [{ action, resource: '*' }];
  const table = tableArn(TableName);
  return [{ action, resource: IndexName === undefined ? table : `${table}/index/${IndexName}` }];
}
