import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** The users' table and the client that speaks to it. */
export interface Table {
  readonly client: DynamoDBClient;
  readonly name: string;
}
