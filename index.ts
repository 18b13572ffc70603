import * as pulumi from '@pulumi/pulumi';
import { bundleAll } from './components/bundling/bundle_all.ts';
import { EmbeddingInfrastructure } from './components/embedding_infrastructure.ts';
import { readSettings, SECRET_NAMES } from './components/settings.ts';
import { stackSettings } from './components/stack_settings.ts';

const config = new pulumi.Config();
const source = stackSettings(config);
const settings = readSettings(source);
const [openaiApiKey, googlePlacesApiKey] = SECRET_NAMES;

const infrastructure = new EmbeddingInfrastructure('embeddings', {
  settings,
  secrets: {
    openai_api_key: config.requireSecret(openaiApiKey),
    google_places_api_key: source.has(googlePlacesApiKey)
      ? config.requireSecret(googlePlacesApiKey)
      : undefined,
  },
  bundles: await bundleAll(),
});

export const realtime_embedding_sf_arn = infrastructure.realtimeEmbeddingSfArn;
export const chromadb_bucket_name = infrastructure.chromadbBucketName;
export const dynamodb_table_name = infrastructure.dynamodbTableName;
