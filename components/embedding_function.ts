import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { HANDLER } from './bundling/bundles.ts';
import { type PolicyStatement, ServiceRole } from './iam.ts';
import { RUNTIME } from './lambda_layer.ts';
import { functionStem, stackName } from './names.ts';
import type { Tags } from './tags.ts';

export interface EmbeddingFunctionArgs {
  /** What it does, in kebab case: `embedding-{what}-lambda-{stack}`. */
  readonly what: string;
  /** The folder that bundleHandler has written. */
  readonly folder: string;
  readonly layerArn: pulumi.Input<string>;
  /** MB. */
  readonly memorySize: number;
  /**
   * MB of the temporary folder, at most 10,240.
   *
   * @default Lambda's own 512
   */
  readonly ephemeralStorage?: number;
  /** Seconds, at most 900. */
  readonly timeout: number;
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  /** What it may do beside writing its own log and its traces. */
  readonly statements: readonly PolicyStatement[];
  readonly logRetentionDays: number;
  readonly tags: Tags;
}

/** A Lambda function with a role and a log group of its own. */
export class EmbeddingFunction extends pulumi.ComponentResource {
  public readonly arn: pulumi.Output<string>;
  public readonly functionName: string;
  public readonly logGroupName: pulumi.Output<string>;
  /** Seconds. */
  public readonly timeout: number;

  constructor(name: string, args: EmbeddingFunctionArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:lambda:EmbeddingFunction', name, {}, opts);
    this.functionName = stackName('function', functionStem(args.what), pulumi.getStack());
    this.timeout = args.timeout;
    const logGroup = this.createLogGroup(name, args);
    this.logGroupName = logGroup.name;
    const role = this.createRole(name, args, logGroup);
    this.arn = this.createFunction(name, args, role, logGroup).arn;
    this.registerOutputs({ arn: this.arn });
  }

  private createLogGroup(name: string, args: EmbeddingFunctionArgs): aws.cloudwatch.LogGroup {
    return new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      {
        name: `/aws/lambda/${this.functionName}`,
        retentionInDays: args.logRetentionDays,
        tags: args.tags,
      },
      { parent: this },
    );
  }

  private createRole(
    name: string,
    args: EmbeddingFunctionArgs,
    logGroup: aws.cloudwatch.LogGroup,
  ): ServiceRole {
    return new ServiceRole(
      name,
      {
        stem: `embedding-${args.what}-role`,
        service: 'lambda.amazonaws.com',
        statements: [
          ...args.statements,
          {
            actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
            resources: [pulumi.interpolate`${logGroup.arn}:*`],
          },
          // X-Ray knows no resources.
          { actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], resources: ['*'] },
        ],
        tags: args.tags,
      },
      { parent: this },
    );
  }

  private createFunction(
    name: string,
    args: EmbeddingFunctionArgs,
    role: ServiceRole,
    logGroup: aws.cloudwatch.LogGroup,
  ): aws.lambda.Function {
    return new aws.lambda.Function(
      `${name}-function`,
      {
        name: this.functionName,
        runtime: RUNTIME.runtime,
        architectures: [RUNTIME.architecture],
        handler: HANDLER,
        code: new pulumi.asset.FileArchive(args.folder),
        layers: [args.layerArn],
        role: role.arn,
        memorySize: args.memorySize,
        ...(args.ephemeralStorage === undefined
          ? {}
          : { ephemeralStorage: { size: args.ephemeralStorage } }),
        timeout: args.timeout,
        environment: { variables: args.environment },
        tracingConfig: { mode: 'Active' },
        loggingConfig: { logFormat: 'JSON', logGroup: logGroup.name },
        tags: args.tags,
      },
      { parent: this },
    );
  }
}
