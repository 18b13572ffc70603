import { startEmbeddedAws } from 'embedded-aws/aws/embedded_aws';

/*
 * Starts the embedded AWS with one vector bucket and one index of two dimensions, prints where it is and the key to sign
 * with as JSON, and ends when its input does.
 */

const aws = await startEmbeddedAws({
  program: () => ({}),
  project: 'vectors',
  stack: 'dev',
  port: 0,
  config: {},
  secrets: {},
});
aws.s3vectors.createVectorBucket('vectors');
aws.s3vectors.createIndex({
  vectorBucketName: 'vectors',
  indexName: 'lines',
  dimension: 2,
  distanceMetric: 'cosine',
  nonFilterableMetadataKeys: ['text'],
});
console.log(JSON.stringify({ url: aws.url, ...aws.credentials }));
process.stdin.on('end', () => void aws.close());
process.stdin.resume();
