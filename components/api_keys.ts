import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
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

export interface ApiKeySecretArgs {
  /** The key; a secret of the stack's configuration. */
  readonly value: pulumi.Input<string>;
  readonly tags: Tags;
}

/** An API key in Secrets Manager: functions get its ARN, never its value. */
export class ApiKeySecret extends pulumi.ComponentResource {
  public readonly arn: pulumi.Output<string>;

  constructor(name: string, args: ApiKeySecretArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:secrets:ApiKeySecret', name, {}, opts);
    const secret = new aws.secretsmanager.Secret(
      `${name}-secret`,
      {
        name: `${name}-${pulumi.getStack()}`,
        // Deleted at once: the key is in the stack's configuration still, and a name that is taken for
        // some days more would keep the stack from being deployed again.
        recoveryWindowInDays: 0,
        tags: args.tags,
      },
      { parent: this },
    );
    const version = new aws.secretsmanager.SecretVersion(
      `${name}-version`,
      { secretId: secret.id, secretString: pulumi.secret(args.value) },
      { parent: this },
    );
    // Known once it has a value: a function that starts before would find none. Waits by the URN, which a new
    // value leaves as it is: else a preview would announce changes of everything that has the ARN.
    this.arn = pulumi.all([secret.arn, version.urn]).apply(([arn]) => arn);
    this.registerOutputs({ arn: this.arn });
  }
}
