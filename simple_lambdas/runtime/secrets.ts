import { getSecret } from '@aws-lambda-powertools/parameters/secrets';
import { translateAwsError } from 'receipt-embedding/aws_clients';
import { InvalidConfiguration, RateLimited, UpstreamUnavailable } from 'receipt-embedding/errors';

/** Where a secret is: as it is (local runs), or under an ARN in Secrets Manager (deployed functions). */
export interface SecretLocation {
  readonly plain: string | undefined;
  readonly arn: string | undefined;
}

/** How long a fetched secret serves; a rotated key is used after this at the latest. */
const KEPT_SECONDS = 900;

/** @returns undefined when the secret is configured nowhere. */
export async function readSecret({ plain, arn }: SecretLocation): Promise<string | undefined> {
  if (plain !== undefined) return plain;
  if (arn === undefined) return undefined;
  const secret = await fetchSecret(arn);
  if (secret === undefined || secret === '') {
    throw new InvalidConfiguration(`the secret ${arn} has no value: set it and run again`);
  }
  return secret;
}

async function fetchSecret(arn: string): Promise<string | undefined> {
  try {
    const secret = await getSecret(arn, { maxAge: KEPT_SECONDS });
    return typeof secret === 'string' ? secret : undefined;
  } catch (error) {
    // Powertools has the SDK's own error as the cause of its own.
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    const reason = translateAwsError(cause, 'GetSecretValue');
    if (reason instanceof RateLimited || reason instanceof UpstreamUnavailable) throw reason;
    // The name alone: a message of whatever it is may hold what was being read.
    const name = cause instanceof Error ? cause.name : typeof cause;
    throw new InvalidConfiguration(`the secret ${arn} can not be read (${name})`, { cause: error });
  }
}
