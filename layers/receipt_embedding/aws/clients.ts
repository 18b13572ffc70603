import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { translateErrors } from './translate_errors.ts';

/**
 * How the SDK's clients retry: twice at most, and each try may take 10 seconds. Longer waiting is the
 * state machine's, which does not pay for it.
 */
const RETRIES = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000 },
} as const;

/**
 * Credentials and endpoint are the environment's.
 *
 * @param region by default the environment's too.
 */
export function createDynamoDBClient(region?: string): DynamoDBClient {
  const where = region === undefined ? {} : { region };
  return withoutLog(translateErrors(new DynamoDBClient({ ...RETRIES, ...where })));
}

/** @see createDynamoDBClient */
export function createS3Client(): S3Client {
  // A manifest of a million receipts is some 80 MB: it needs longer than a row.
  return withoutLog(
    translateErrors(
      new S3Client({
        ...RETRIES,
        requestHandler: { connectionTimeout: 3_000, requestTimeout: 120_000 },
      }),
    ),
  );
}

/**
 * The SDK goes through every answer to hide what a log must not show, also where nobody logs: a third of the time that reading
 * many rows takes.
 */
function withoutLog<Client extends { readonly middlewareStack: { remove(name: string): boolean } }>(
  client: Client,
): Client {
  client.middlewareStack.remove('loggerMiddleware');
  return client;
}
