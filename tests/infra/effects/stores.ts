import {
  type ApiKeys,
  ApiKeySecret,
  type ApiKeySecretArgs,
  type ApiKeySecretsArgs,
  createApiKeySecrets,
} from '../../../components/api_keys.ts';
import {
  createDataStores,
  type DataStoresArgs,
  ReceiptTable,
  type ReceiptTableArgs,
} from '../../../components/data_stores.ts';
import { PrivateBucket, type PrivateBucketArgs } from '../../../components/private_bucket.ts';
import { settingsSchema } from '../../../components/settings.ts';
import { componentCase, type ComponentCase, fieldByField, several } from './component_case.ts';
import { OTHER_TAGS, TAGS } from './sample_args.ts';

const SETTINGS = settingsSchema.parse({});

export const STORES: readonly ComponentCase[] = [
  componentCase<PrivateBucketArgs>(
    'PrivateBucket',
    (args, options) => new PrivateBucket('ours', args, options),
    { protect: false, expirations: [{ prefix: 'runs/', days: 30 }], tags: TAGS },
    {
      existing: 'our-bucket',
      protect: true,
      expirations: several<PrivateBucketArgs['expirations']>(
        [],
        [{ prefix: 'runs/', days: 31 }],
        [{ prefix: 'walks/', days: 30 }],
      ),
      tags: OTHER_TAGS,
    },
  ),
  componentCase<ReceiptTableArgs>(
    'ReceiptTable',
    (args, options) => new ReceiptTable('ours', args, options),
    { protect: false, tags: TAGS },
    { existing: 'our-table', protect: true, tags: OTHER_TAGS },
  ),
  componentCase<DataStoresArgs>(
    'createDataStores',
    createDataStores,
    { settings: SETTINGS, batchPath: true, protect: false, tags: TAGS },
    {
      settings: several(
        { ...SETTINGS, dynamodb_table_name: 'our-table' },
        { ...SETTINGS, chromadb_bucket_name: 'our-vectors' },
        { ...SETTINGS, batch_bucket_name: 'our-batches' },
      ),
      batchPath: false,
      protect: true,
      tags: OTHER_TAGS,
    },
  ),
  componentCase<ApiKeySecretArgs>(
    'ApiKeySecret',
    (args, options) => new ApiKeySecret('ours', args, options),
    { value: 'key', tags: TAGS },
    { value: 'another', tags: OTHER_TAGS },
  ),
  componentCase<ApiKeySecretsArgs>(
    'createApiKeySecrets',
    createApiKeySecrets,
    { keys: { openai_api_key: 'key' }, tags: TAGS },
    {
      keys: fieldByField<ApiKeys>({
        openai_api_key: 'another',
        google_places_api_key: 'another',
        pinecone_api_key: 'another',
      }),
      tags: OTHER_TAGS,
    },
  ),
];
