import { SFNClient } from '@aws-sdk/client-sfn';

/** A connection whose other end is gone without a word is given up, and tried anew. */
const CONNECTION_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;

/** Speaks to Step Functions in this region (by default the environment's), or at AWS_ENDPOINT_URL. */
export function createSfnClient(
  region: string | undefined,
  requestTimeout = REQUEST_TIMEOUT_MS,
): SFNClient {
  return new SFNClient({
    ...(region === undefined ? {} : { region }),
    maxAttempts: 5,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout,
      throwOnRequestTimeout: true,
      socketTimeout: requestTimeout,
    },
  });
}
