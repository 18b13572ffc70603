import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { secretArnVariable } from '../simple_lambdas/runtime/declaration.ts';
import { stackName } from './names.ts';
import type { SecretName } from './settings.ts';

/** The API keys of a stack's configuration; undefined for one that the stack does not have. */
export type ApiKeys = Readonly<Partial<Record<SecretName, pulumi.Input<string> | undefined>>> & {
  readonly openai_api_key: pulumi.Input<string>;
};

/**
 * Puts each API key into a secret of its own.
 *
 * @returns the variables that tell functions where: `OPENAI_API_KEY_SECRET_ARN` and so on.
 */
export function createApiKeySecrets(
  keys: ApiKeys,
  options: pulumi.ComponentResourceOptions,
): Record<string, pulumi.Output<string>> {
  return Object.fromEntries(
    Object.entries(keys).flatMap(([name, value]) => {
      if (value === undefined) return [];
      const { arn } = new ApiKeySecret(
        `receipt-embedding-${name.replaceAll('_', '-')}`,
        { value },
        options,
      );
      return [[secretArnVariable(name.toUpperCase()), arn] as const];
    }),
  );
}

export interface ApiKeySecretArgs {
  /** The key; a secret of the stack's configuration. */
  readonly value: pulumi.Input<string>;
}

/** An API key in Secrets Manager: functions get its ARN, never its value. */
class ApiKeySecret extends pulumi.ComponentResource {
  public readonly arn: pulumi.Output<string>;

  constructor(name: string, args: ApiKeySecretArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:secrets:ApiKeySecret', name, {}, opts);
    const secret = new aws.secretsmanager.Secret(
      `${name}-secret`,
      {
        name: stackName('secret', name, pulumi.getStack()),
        // Deleted at once: the key is in the stack's configuration still, and a name that is taken for
        // some days more would keep the stack from being deployed again.
        recoveryWindowInDays: 0,
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
