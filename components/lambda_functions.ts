import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import {
  type Bucket,
  type ObjectNeeds,
  secretArnVariable,
  type TableNeeds,
  type VendorDeclaration,
  VENDORS,
  variablesOf,
} from '../simple_lambdas/runtime/declaration.ts';
import type { Bundles } from './bundling/bundles.ts';
import { EmbeddingFunction, RUNTIME } from './embedding_function.ts';
import type { PolicyStatement } from './iam.ts';
import { functionPurpose } from './names.ts';
import type { DeclaredFunction } from './state_machines/shared_states.ts';

export interface LambdaFunctionsArgs {
  /** The functions that the stack has. */
  readonly declarations: readonly DeclaredFunction[];
  readonly bundles: Bundles;
  /** What they reach. */
  readonly resources: FunctionResources;
  readonly logRetentionDays: number;
}

/** What a stack has for its functions. */
interface FunctionResources {
  readonly tableArn: pulumi.Input<string>;
  /** The buckets of the stack. */
  readonly bucketArns: Readonly<Partial<Record<Bucket, pulumi.Input<string>>>>;
  /**
   * The value of every variable that a function may read, secrets' ARNs among them. Undefined: the stack does without it, and so do
   * the functions for which it is optional.
   */
  readonly variables: Readonly<Record<string, pulumi.Input<string> | undefined>>;
}

/** All functions, each with the least privilege and the variables that its declaration asks for, on the shared layer. */
export class LambdaFunctions extends pulumi.ComponentResource {
  private readonly functions: ReadonlyMap<string, EmbeddingFunction>;

  constructor(name: string, args: LambdaFunctionsArgs, opts?: pulumi.ComponentResourceOptions) {
    super('receipts:lambda:LambdaFunctions', name, {}, opts);
    const layerArn = this.createLayer(args.bundles.layer).arn;
    this.functions = new Map(
      args.declarations.map((declaration) => [
        declaration.name,
        this.createFunction(declaration, layerArn, args),
      ]),
    );
    this.registerOutputs(
      Object.fromEntries([...this.functions].map(([folder, { arn }]) => [folder, arn])),
    );
  }

  /** @param name the function's folder in `simple_lambdas`. */
  byName(name: string): EmbeddingFunction {
    const found = this.functions.get(name);
    if (found === undefined) throw new TypeError(`the stack has no function ${name}`);
    return found;
  }

  /** All of them, by their folders in `simple_lambdas`. */
  get all(): ReadonlyMap<string, EmbeddingFunction> {
    return this.functions;
  }

  /** Our package with its DynamoDB, S3 and OpenAI clients. */
  private createLayer(folder: string): aws.lambda.LayerVersion {
    return new aws.lambda.LayerVersion(
      'receipt-embedding-layer-version',
      {
        layerName: `receipt-embedding-layer-${pulumi.getStack()}`,
        code: new pulumi.asset.FileArchive(folder),
        compatibleRuntimes: [RUNTIME.runtime],
        compatibleArchitectures: [RUNTIME.architecture],
      },
      { parent: this },
    );
  }

  private createFunction(
    declaration: DeclaredFunction,
    layerArn: pulumi.Input<string>,
    { bundles, resources, logRetentionDays }: LambdaFunctionsArgs,
  ): EmbeddingFunction {
    return new EmbeddingFunction(
      functionPurpose(declaration),
      {
        declaration,
        folder: bundles.handler(declaration.name),
        layerArn,
        environment: environmentOf(declaration, resources),
        statements: statementsOf(declaration, resources),
        logRetentionDays,
      },
      { parent: this },
    );
  }
}

/** @throws TypeError when the stack lacks what the function can't do without. */
function environmentOf(
  declaration: DeclaredFunction,
  { variables }: FunctionResources,
): Record<string, pulumi.Input<string>> {
  const { required, optional } = variablesOf(declaration);
  const missing = Object.keys(required).filter((name) => variables[name] === undefined);
  if (missing.length > 0) {
    throw new TypeError(`the stack has no ${missing.join(', ')} for ${declaration.name}`);
  }
  return Object.fromEntries(
    Object.keys({ ...required, ...optional }).flatMap((name) => {
      const value = variables[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** What the function may do, beside writing its own log and its traces. */
function statementsOf(
  { table, objects, objects_of_event, vendors = [], optional_vendors = [] }: DeclaredFunction,
  { tableArn, bucketArns, variables }: FunctionResources,
): PolicyStatement[] {
  const secrets = [...vendors, ...optional_vendors].flatMap((vendor) => {
    const { secret }: VendorDeclaration = VENDORS[vendor];
    return secret === undefined ? [] : (variables[secretArnVariable(secret)] ?? []);
  });
  return [
    ...tableStatements(table, tableArn),
    ...objectStatements(objects, bucketArns),
    ...objectStatements(objects_of_event, bucketArns),
    ...secrets.map((arn) => ({ actions: ['secretsmanager:GetSecretValue'], resources: [arn] })),
  ];
}

function tableStatements(
  needs: TableNeeds = {},
  tableArn: pulumi.Input<string>,
): PolicyStatement[] {
  return Object.entries(needs).map(([part, operations]) => ({
    actions: operations.map((operation) => `dynamodb:${operation}`),
    resources: [part === 'rows' ? tableArn : pulumi.interpolate`${tableArn}/index/${part}`],
  }));
}

/** A bucket that the stack does not have is left out. */
function objectStatements(
  needs: ObjectNeeds = {},
  bucketArns: FunctionResources['bucketArns'],
): PolicyStatement[] {
  return (Object.keys(needs) as Bucket[]).flatMap((bucket) => {
    const arn = bucketArns[bucket];
    if (arn === undefined) return [];
    return Object.entries(needs[bucket] ?? {}).map(([operation, keys]) => ({
      actions: [`s3:${operation}`],
      resources: keys.map((key) => pulumi.interpolate`${arn}/${key}`),
    }));
  });
}
