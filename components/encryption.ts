import type * as pulumi from '@pulumi/pulumi';
import type { TableOperation } from '../simple_lambdas/runtime/declaration.ts';
import type { PolicyStatement } from './iam.ts';

/** The key of its owners that adopted data is encrypted with; without one, AWS's own keys ask for no permission. */
export interface EncryptionKey {
  readonly keyArn: pulumi.Input<string>;
  /**
   * The service that the key is used through, as KMS calls it: `s3.us-east-1.amazonaws.com`. Nobody can use the key with these
   * permissions but by a request to that service.
   */
  readonly viaService: pulumi.Input<string>;
}

export type ObjectAccess = 'read' | 'write' | 'write in parts';

/**
 * What S3 asks for of whoever reads or writes objects under a key (its user guide, "Using server-side encryption with KMS
 * keys"): a new data key for each object that is written, the object's own to read it, and both for an upload in parts.
 */
const OBJECT_ACTIONS: Readonly<Record<ObjectAccess, readonly string[]>> = {
  read: ['kms:Decrypt'],
  write: ['kms:GenerateDataKey'],
  'write in parts': ['kms:Decrypt', 'kms:GenerateDataKey'],
};

/** What DynamoDB asks for of whoever reads a table under a key, and of whoever writes one: AWS's CDK grants the same. */
const TABLE_READ_ACTIONS = ['kms:Decrypt', 'kms:DescribeKey'] as const;
const TABLE_WRITE_ACTIONS = [
  ...TABLE_READ_ACTIONS,
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
] as const;

const READING: readonly TableOperation[] = ['BatchGetItem', 'GetItem', 'Query'];

/** @returns nothing without a key, or where nothing is done. */
export function objectKeyPermissions(
  key: EncryptionKey | undefined,
  accesses: readonly ObjectAccess[],
): PolicyStatement[] {
  return permission(
    key,
    accesses.flatMap((access) => OBJECT_ACTIONS[access]),
  );
}

/** @returns nothing without a key, or where nothing is done. */
export function tableKeyPermissions(
  key: EncryptionKey | undefined,
  operations: readonly TableOperation[],
): PolicyStatement[] {
  const writes = operations.some((operation) => !READING.includes(operation));
  if (operations.length === 0) return [];
  return permission(key, writes ? TABLE_WRITE_ACTIONS : TABLE_READ_ACTIONS);
}

function permission(key: EncryptionKey | undefined, actions: readonly string[]): PolicyStatement[] {
  if (key === undefined || actions.length === 0) return [];
  return [
    {
      actions: [...new Set(actions)].sort(),
      resources: [key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': key.viaService } },
    },
  ];
}
