import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import type { SFNClientConfig } from '@aws-sdk/client-sfn';

export const REGION = 'us-east-1';

/** What an AWS client signs with. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of a function's environment. */
  readonly sessionToken?: string;
}

/**
 * How a client of the AWS SDK reaches the embedded AWS. The SDK looks in the environment and in the person's AWS files for
 * every setting that it is not given, so all of them are given: what is meant for the real AWS (FIPS endpoints, profiles,
 * retry modes, …) must not reach this one. `client_settings.test.ts` goes through the SDK's own list.
 *
 * @example new SecretsManagerClient(clientSettings(aws))
 */
export function clientSettings({
  url,
  credentials,
}: {
  readonly url: string;
  readonly credentials: Credentials;
}) {
  return {
    endpoint: url,
    region: REGION,
    credentials,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    defaultsMode: 'standard',
    retryMode: 'standard',
    maxAttempts: 3,
    userAgentAppId: '',
    authSchemePreference: ['sigv4'],
  } satisfies SFNClientConfig;
}

/** What S3's client has beside `clientSettings`. */
export const S3_SETTINGS = {
  forcePathStyle: true,
  requestChecksumCalculation: 'WHEN_SUPPORTED',
  responseChecksumValidation: 'WHEN_SUPPORTED',
  disableMultiregionAccessPoints: true,
  disableS3ExpressSessionAuth: true,
  useArnRegion: false,
  sigv4aSigningRegionSet: [REGION],
} satisfies S3ClientConfig;

/** What DynamoDB's client has beside `clientSettings`. */
export const DYNAMODB_SETTINGS = {
  accountIdEndpointMode: 'disabled',
  endpointDiscoveryEnabled: false,
} satisfies DynamoDBClientConfig;
