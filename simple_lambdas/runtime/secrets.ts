import { SecretsProvider } from '@aws-lambda-powertools/parameters/secrets';
import {
  limitTime,
  SMALL_ANSWER,
  type TimeLimits,
  translateAwsError,
} from 'receipt-embedding/aws_clients';
import { InvalidConfiguration, RateLimited, UpstreamUnavailable } from 'receipt-embedding/errors';
import { shownAwsName } from 'receipt-embedding/vendor_answers/aws';
import { checkedKey } from 'receipt-embedding/vendor_answers/credentials';
import { secretArnVariable, VENDORS } from './declaration.ts';
import type { KeyedVendor, SecretVariable } from './environment.ts';

/** The secrets in a function's environment; those of vendors that it does not declare are missing. */
type SecretEnvironment = Readonly<Partial<Record<SecretVariable<KeyedVendor>, string | undefined>>>;

/**
 * A vendor's key.
 *
 * @throws InvalidConfiguration when it is not configured, can not be read, or can not be a key; RateLimited, UpstreamUnavailable.
 */
export async function requireSecret(
  environment: SecretEnvironment,
  vendor: KeyedVendor,
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
export async function readSecret(
  environment: SecretEnvironment,
  vendor: KeyedVendor,
): Promise<string | undefined> {
  const variables: Readonly<Partial<Record<string, string>>> = environment;
  const name = VENDORS[vendor].secret;
  const arn = variables[secretArnVariable(name)];
  const local = variables[name];
  if (local !== undefined) return checkedKey(name, local);
  if (arn === undefined) return undefined;
  const secret = await fetchSecret(arn);
  if (secret === undefined || secret === '') {
    throw new InvalidConfiguration(`the secret ${arn} has no value: set it and run again`);
  }
  return checkedKey(`the secret ${arn}`, secret);
}

/** How long a fetched secret serves; a rotated key is used after this at the latest. */
const KEPT_SECONDS = 900;

/** Reads secrets, and keeps them. It tries three times: the SDK's own default. */
export function createSecretsProvider(limits: TimeLimits = SMALL_ANSWER): SecretsProvider {
  return new SecretsProvider({ clientConfig: { requestHandler: limitTime(limits) } });
}

let keptSecrets: SecretsProvider | undefined;

async function fetchSecret(arn: string): Promise<string | undefined> {
  try {
    keptSecrets ??= createSecretsProvider();
    const secret = await keptSecrets.get(arn, { maxAge: KEPT_SECONDS });
    return typeof secret === 'string' ? secret : undefined;
  } catch (error) {
    // Powertools has the SDK's own error as the cause of its own.
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    const reason = translateAwsError(cause, 'GetSecretValue');
    if (reason instanceof RateLimited || reason instanceof UpstreamUnavailable) throw reason;
    // The name alone: the message may hold what was being read.
    const name = cause instanceof Error ? shownAwsName(cause.name) : typeof cause;
    throw new InvalidConfiguration(`the secret ${arn} can not be read (${name})`);
  }
}
