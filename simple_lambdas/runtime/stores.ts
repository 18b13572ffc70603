import { tmpdir } from 'node:os';
import { createDynamoDBClient, createS3Client } from 'receipt-embedding/aws_clients';
import { BatchStorage } from 'receipt-embedding/batches/batch_files';
import type { Table } from 'receipt-embedding/table/table';
import { variables } from './environment.ts';

/** What a function that works on the table and on batches' files reads of its environment. */
export const storeVariables = {
  DYNAMODB_TABLE_NAME: variables.DYNAMODB_TABLE_NAME,
  BATCH_BUCKET: variables.BATCH_BUCKET,
};

/** The users' table. */
export function openTable(environment: { readonly DYNAMODB_TABLE_NAME: string }): Table {
  return { client: createDynamoDBClient(), name: environment.DYNAMODB_TABLE_NAME };
}

/** The files of batches. */
export function openBatchStorage(environment: { readonly BATCH_BUCKET: string }): BatchStorage {
  return new BatchStorage({
    s3: createS3Client(),
    bucket: environment.BATCH_BUCKET,
    temporaryFolder: tmpdir(),
  });
}
