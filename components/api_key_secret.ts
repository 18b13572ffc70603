import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import type { Tags } from './tags.ts';

export interface ApiKeySecretArgs {
  /** The key; a secret of the stack's configuration. */
  readonly value: pulumi.Input<string>;
  /** Whether deleting it can be undone for 30 days; its name is taken as long. */
  readonly recoverable: boolean;
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
        recoveryWindowInDays: args.recoverable ? 30 : 0,
        tags: args.tags,
      },
      { parent: this },
    );
    const version = new aws.secretsmanager.SecretVersion(
      `${name}-version`,
      { secretId: secret.id, secretString: pulumi.secret(args.value) },
      { parent: this },
    );
    // Known once it has a value: a function that starts before would find none.
    this.arn = pulumi.all([secret.arn, version.id]).apply(([arn]) => arn);
    this.registerOutputs({ arn: this.arn });
  }
}
