/** The AWS clients that the functions share. */
export { createDynamoDBClient, createS3Client } from './aws/clients.ts';
