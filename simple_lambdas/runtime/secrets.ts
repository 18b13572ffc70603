import { getSecret } from '@aws-lambda-powertools/parameters/secrets';
import { translateAwsError } from 'receipt-embedding/aws_clients';
import { InvalidConfiguration, RateLimited, UpstreamUnavailable } from 'receipt-embedding/errors';
import { secretArnVariable, type Vendor, VENDORS } from './declaration.ts';
import type { SecretVariable } from './environment.ts';

/** A vendor that has a key. */
type KeyedVendor = {
  [Of in Vendor]: [SecretVariable<Of>] extends [never] ? never : Of;
}[Vendor];

type SecretEnvironment<Of extends KeyedVendor> = {
  readonly [Name in SecretVariable<Of>]?: string | undefined;
};

/**
 * A vendor's key.
 *
 * @throws InvalidConfiguration when it is not configured or can not be read; RateLimited, UpstreamUnavailable.
 */
export async function requireSecret<Of extends KeyedVendor>(
  environment: SecretEnvironment<Of>,
  vendor: Of,
): Promise<string> {
  const secret = await readSecret(environment, vendor);
  if (secret !== undefined) return secret;
  const name = VENDORS[vendor].secret;
  throw new InvalidConfiguration(`${secretArnVariable(name)} (or ${name}) is not set`);
}

/**
 * The same for an optional vendor. The key is as it is in the variable (local runs), or in Secrets Manager under the ARN in
 * `…_SECRET_ARN` (deployed functions).
 *
 * @returns undefined when the key is not configured.
 */
export async function readSecret<Of extends KeyedVendor>(
  environment: SecretEnvironment<Of>,
  vendor: Of,
): Promise<string | undefined> {
  const variables: Readonly<Partial<Record<string, string>>> = environment;
  const name = VENDORS[vendor].secret;
  const arn = variables[secretArnVariable(name)];
  if (variables[name] !== undefined || arn === undefined) return variables[name];
  const secret = await fetchSecret(arn);
  if (secret === undefined || secret === '') {
    throw new InvalidConfiguration(`the secret ${arn} has no value: set it and run again`);
  }
  return secret;
}

/** How long a fetched secret serves; a rotated key is used after this at the latest. */
const KEPT_SECONDS = 900;

async function fetchSecret(arn: string): Promise<string | undefined> {
  try {
    const secret = await getSecret(arn, { maxAge: KEPT_SECONDS });
    return typeof secret === 'string' ? secret : undefined;
  } catch (error) {
    // Powertools has the SDK's own error as the cause of its own.
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    const reason = translateAwsError(cause, 'GetSecretValue');
    if (reason instanceof RateLimited || reason instanceof UpstreamUnavailable) throw reason;
    // The name alone: the message may hold what was being read.
    const name = cause instanceof Error ? cause.name : typeof cause;
    throw new InvalidConfiguration(`the secret ${arn} can not be read (${name})`, { cause: error });
  }
}
