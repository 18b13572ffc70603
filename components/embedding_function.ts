import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import type { DeclaredFunction } from '../simple_lambdas/runtime/declaration.ts';
import { HANDLER } from './bundling/bundles.ts';
import { type PolicyStatement, ServiceRole } from './iam.ts';
import { functionPurpose, functionStem, stackName } from './names.ts';

/** What all functions run on. */
export const RUNTIME = { runtime: 'nodejs24.x', architecture: 'arm64' } as const;

export interface EmbeddingFunctionArgs {
  readonly declaration: DeclaredFunction;
  /** The folder that bundleHandler has written. */
  readonly folder: string;
  readonly layerArn: pulumi.Input<string>;
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  /** What it may do beside writing its own log and its traces. */
  readonly statements: readonly PolicyStatement[];
  readonly logRetentionDays: number;
  /** @default outside of any VPC */
  readonly network?: Network | undefined;
}

/** Where in a VPC functions run. */
export interface Network {
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
}

/**
 * What Lambda does under a function's role to give it an address in a VPC: those of AWS's own policy
 * AWSLambdaVPCAccessExecutionRole beside the log. They know no resources: the interface is there only afterwards.
 */
const VPC_ACCESS: PolicyStatement = {
  actions: [
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ],
  resources: ['*'],
};

/** A Lambda function with a role and a log group of its own. */
export class EmbeddingFunction extends pulumi.ComponentResource {
  public readonly arn: pulumi.Output<string>;
  public readonly functionName: string;
  public readonly logGroupName: pulumi.Output<string>;
  public readonly declaration: DeclaredFunction;

  constructor(name: string, args: EmbeddingFunctionArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:lambda:EmbeddingFunction', name, {}, opts);
    this.declaration = args.declaration;
    this.functionName = stackName('function', functionStem(args.declaration), pulumi.getStack());
    const logGroup = this.createLogGroup(name, args);
    this.logGroupName = logGroup.name;
    const role = this.createRole(name, args, logGroup);
    this.arn = this.createFunction(name, args, role, logGroup).arn;
    this.registerOutputs({ arn: this.arn });
  }

  private createLogGroup(name: string, args: EmbeddingFunctionArgs): aws.cloudwatch.LogGroup {
    return new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      { name: `/aws/lambda/${this.functionName}`, retentionInDays: args.logRetentionDays },
      { parent: this },
    );
  }

  private createRole(
    name: string,
    { declaration, statements, network }: EmbeddingFunctionArgs,
    logGroup: aws.cloudwatch.LogGroup,
  ): ServiceRole {
    return new ServiceRole(
      name,
      {
        stem: `embedding-${functionPurpose(declaration)}-role`,
        service: 'lambda.amazonaws.com',
        statements: [
          ...statements,
          {
            actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
            resources: [pulumi.interpolate`${logGroup.arn}:*`],
          },
          // X-Ray knows no resources.
          { actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], resources: ['*'] },
          ...(network === undefined ? [] : [VPC_ACCESS]),
        ],
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
    const { memory_mb, temporary_folder_mb, timeout_s, description } = args.declaration;
    return new aws.lambda.Function(
      `${name}-function`,
      {
        name: this.functionName,
        description,
        runtime: RUNTIME.runtime,
        architectures: [RUNTIME.architecture],
        handler: HANDLER,
        code: new pulumi.asset.FileArchive(args.folder),
        layers: [args.layerArn],
        role: role.arn,
        memorySize: memory_mb,
        ...(temporary_folder_mb === undefined
          ? {}
          : { ephemeralStorage: { size: temporary_folder_mb } }),
        timeout: timeout_s,
        ...(args.network === undefined
          ? {}
          : {
              vpcConfig: {
                subnetIds: [...args.network.subnetIds],
                securityGroupIds: [...args.network.securityGroupIds],
              },
            }),
        environment: { variables: args.environment },
        tracingConfig: { mode: 'Active' },
        loggingConfig: { logFormat: 'JSON', logGroup: logGroup.name },
      },
      { parent: this },
    );
  }
}
