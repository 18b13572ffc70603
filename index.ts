import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { checkAdoptedTable } from './components/adopted_table.ts';
import { bundleAll } from './components/bundling/bundles.ts';
import { EmbeddingInfrastructure } from './components/embedding_infrastructure.ts';
import type { SecretName } from './components/settings.ts';
import { checkRegions, readSettings, stackSettings } from './components/stack_settings.ts';
import { checkVectorStoreRegion } from './components/vector_regions.ts';

const config = new pulumi.Config();
const source = stackSettings(config);
const settings = readSettings(source);
const optionalSecret = (name: SecretName): pulumi.Output<string> | undefined =>
  source.has(name) ? config.requireSecret(name) : undefined;
await checkVectorStoreRegion(settings);
checkRegions(settings, { ...(await aws.getPartition()), ...(await aws.getRegion()) }, source.stack);
await checkAdoptedTable(settings, source.has('google_places_api_key'));

const infrastructure = new EmbeddingInfrastructure('embeddings', {
  settings,
  secrets: {
    openai_api_key: config.requireSecret('openai_api_key'),
    chroma_token: optionalSecret('chroma_token'),
    google_places_api_key: optionalSecret('google_places_api_key'),
    pinecone_api_key: optionalSecret('pinecone_api_key'),
  },
  bundles: await bundleAll(),
});

const outputs = {
  realtime_embedding_sf_arn: infrastructure.realtimeEmbeddingSfArn,
  batch_submit_sf_arn: infrastructure.batchSubmitSfArn,
  batch_poll_sf_arn: infrastructure.batchPollSfArn,
  chromadb_bucket_name: infrastructure.chromadbBucketName,
  batch_bucket_name: infrastructure.batchBucketName,
  dynamodb_table_name: infrastructure.dynamodbTableName,
  dashboard_url: infrastructure.dashboardUrl,
  alert_topic_arn: infrastructure.alertTopicArn,
  arrivals_queue_url: infrastructure.arrivalsQueueUrl,
  failed_arrivals_queue_url: infrastructure.failedArrivalsQueueUrl,
  search_function_name: infrastructure.searchFunctionName,
  vector_stores: infrastructure.vectorStores,
  vector_bucket_arn: infrastructure.vectorBucketArn,
  lines_vector_index_arn: infrastructure.linesVectorIndexArn,
  words_vector_index_arn: infrastructure.wordsVectorIndexArn,
};

/** The stack's outputs. One without S3 Vectors, or without arrivals, lacks theirs: Pulumi warns of outputs without a value. */
export default Object.fromEntries(
  Object.entries(outputs).filter(([, output]) => output !== undefined),
);
