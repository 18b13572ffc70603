/** The AWS clients that the functions share, and what they do with objects in S3. */
export { createDynamoDBClient, createS3Client } from './aws/clients.ts';
export { readLines, readText, writeText, type ObjectLocation } from './aws/objects.ts';
export { translateAwsError } from './aws/translate_errors.ts';
