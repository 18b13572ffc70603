import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { S3VectorsClient } from '@aws-sdk/client-s3vectors';
import { SFNClient } from '@aws-sdk/client-sfn';
import {
  clientSettings,
  type Credentials,
  DYNAMODB_SETTINGS,
  S3_SETTINGS,
} from './client_settings.ts';

export interface AwsClients {
  readonly dynamodb: DynamoDBClient;
  readonly s3: S3Client;
  readonly s3vectors: S3VectorsClient;
  readonly sfn: SFNClient;
}

/** A person's clients of the embedded AWS. */
export function createClients(aws: {
  readonly url: string;
  readonly credentials: Credentials;
}): AwsClients {
  const settings = clientSettings(aws);
  return {
    dynamodb: new DynamoDBClient({ ...settings, ...DYNAMODB_SETTINGS }),
    s3: new S3Client({ ...settings, ...S3_SETTINGS }),
    s3vectors: new S3VectorsClient(settings),
    sfn: new SFNClient(settings),
  };
}
