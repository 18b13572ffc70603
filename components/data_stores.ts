import type * as pulumi from '@pulumi/pulumi';
import { BATCH_FILES, EXECUTION_FILES } from 'receipt-embedding/object_keys';
import { PrivateBucket } from './private_bucket.ts';
import { ReceiptTable } from './receipt_table.ts';
import type { Settings } from './settings.ts';
import type { Tags } from './tags.ts';

export interface DataStoresArgs {
  readonly settings: Settings;
  /** Whether the stack has the batch path, and so its bucket. */
  readonly batchPath: boolean;
  /** Keep Pulumi from deleting what it created. */
  readonly protect: boolean;
  readonly tags: Tags;
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
  { settings, batchPath, protect, tags }: DataStoresArgs,
  options: pulumi.ComponentResourceOptions,
): DataStores {
  const createBucket = (
    name: string,
    existing: string | undefined,
    prefixes: readonly string[],
  ): PrivateBucket =>
    new PrivateBucket(
      name,
      {
        ...adopted(existing),
        protect,
        expirations: prefixes.map((prefix) => ({ prefix, days: FILE_DAYS })),
        tags,
      },
      options,
    );
  return {
    table: new ReceiptTable(
      'receipts',
      { ...adopted(settings.dynamodb_table_name), protect, tags },
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

function adopted(existing: string | undefined): { readonly existing?: string } {
  return existing === undefined ? {} : { existing };
}
