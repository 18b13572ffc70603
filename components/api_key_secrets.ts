import type * as pulumi from '@pulumi/pulumi';
import { ApiKeySecret } from './api_key_secret.ts';
import type { SecretName } from './settings.ts';
import type { Tags } from './tags.ts';

/** The API keys of a stack's configuration, secrets all of them. */
export type ApiKeys = Readonly<Partial<Record<SecretName, pulumi.Input<string> | undefined>>> & {
  readonly openai_api_key: pulumi.Input<string>;
};

export interface ApiKeySecretsArgs {
  readonly keys: ApiKeys;
  readonly tags: Tags;
}

/** The ARN of each key's secret; undefined where the stack has no such key. */
export interface ApiKeySecretArns {
  readonly openai: pulumi.Output<string>;
  readonly googlePlaces: pulumi.Output<string> | undefined;
  readonly pinecone: pulumi.Output<string> | undefined;
}

/** Puts each API key into a secret of its own. */
export function createApiKeySecrets(
  { keys, tags }: ApiKeySecretsArgs,
  options: pulumi.ComponentResourceOptions,
): ApiKeySecretArns {
  const create = (what: string, value: pulumi.Input<string>): pulumi.Output<string> =>
    new ApiKeySecret(`receipt-embedding-${what}`, { value, tags }, options).arn;
  const { google_places_api_key: googlePlaces, pinecone_api_key: pinecone } = keys;
  return {
    openai: create('openai-api-key', keys.openai_api_key),
    googlePlaces:
      googlePlaces === undefined ? undefined : create('google-places-api-key', googlePlaces),
    pinecone: pinecone === undefined ? undefined : create('pinecone-api-key', pinecone),
  };
}
