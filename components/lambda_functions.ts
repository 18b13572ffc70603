import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { STORES } from 'receipt-embedding/stores/open_stores';
import type { StoreDeclaration, StoreName } from 'receipt-embedding/stores/vector_store';
import {
  type Bucket,
  type DeclaredFunction,
  type EventSource,
  type ObjectNeeds,
  type ObjectOperation,
  secretArnVariable,
  STARTED_WORKFLOWS,
  storesOf,
  type TableNeeds,
  variablesOf,
  type VendorDeclaration,
  VENDORS,
} from '../simple_lambdas/runtime/declaration.ts';
import {
  type EncryptionKey,
  type ObjectAccess,
  objectKeyPermissions,
  tableKeyPermissions,
} from './encryption.ts';
import type { Bundles } from './bundling/bundles.ts';
import { EmbeddingFunction, type Network, RUNTIME } from './embedding_function.ts';
import type { PolicyStatement } from './iam.ts';
import { functionPurpose, stackName } from './names.ts';

export interface LambdaFunctionsArgs {
  /** The functions that the stack has. */
  readonly declarations: readonly DeclaredFunction[];
  readonly bundles: Bundles;
  /** What they reach. */
  readonly resources: FunctionResources;
  readonly logRetentionDays: number;
  /**
   * Where functions run that call an address of the stack's own.
   *
   * @default outside of any VPC
   */
  readonly network?: Network | undefined;
}

/** What a stack has for its functions. */
interface FunctionResources {
  readonly tableArn: pulumi.Input<string>;
  /** The buckets of the stack. */
  readonly bucketArns: Readonly<Partial<Record<Bucket, pulumi.Input<string>>>>;
  /** The vector stores of the stack. */
  readonly stores: readonly StoreName[];
  /** What functions are fed by, and send to; none in a stack that embeds nothing by itself on arrival. */
  readonly sources: Readonly<Partial<Record<EventSource, EventSourceArns>>>;
  /** The executions of the stack's state machines, as patterns of ARNs. */
  readonly executionArns: readonly pulumi.Input<string>[];
  /** The indexes of the store whose rights AWS grants; none without it. */
  readonly vectorIndexArns: readonly pulumi.Input<string>[];
  /** Keys that the table and the buckets are encrypted with, where their owners have their own. */
  readonly keys: Readonly<Partial<Record<Bucket | 'table', EncryptionKey>>>;
  /**
   * The value of every variable that a function may read, secrets' ARNs among them. Undefined: the stack does without it, and so do
   * the functions for which it is optional.
   */
  readonly variables: Readonly<Record<string, pulumi.Input<string> | undefined>>;
}

/** A queue or a stream. */
interface EventSourceArns {
  readonly arn: pulumi.Input<string>;
  /**
   * The queue that gets what failed again and again, where Lambda itself puts it there.
   *
   * @default none
   */
  readonly failedArn?: pulumi.Input<string>;
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
        layerName: stackName('layer', 'receipt-embedding-layer', pulumi.getStack()),
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
    { bundles, resources, logRetentionDays, network }: LambdaFunctionsArgs,
  ): EmbeddingFunction {
    return new EmbeddingFunction(
      functionPurpose(declaration),
      {
        declaration,
        folder: bundles.handler(declaration.folder ?? declaration.name),
        layerArn,
        environment: environmentOf(declaration, resources),
        statements: statementsOf(declaration, resources),
        logRetentionDays,
        network: callsOwnAddress(declaration, resources) ? network : undefined,
      },
      { parent: this },
    );
  }
}

/** @throws TypeError when the stack lacks what the function can't do without. */
function environmentOf(
  declaration: DeclaredFunction,
  { variables: ofStack, stores }: FunctionResources,
): Record<string, pulumi.Input<string>> {
  const { required, optional } = variablesOf(declaration, stores);
  const variables: FunctionResources['variables'] = {
    ...ofStack,
    VECTOR_STORES: storesOf(declaration, stores).join(),
  };
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

/**
 * Whether a function calls a vendor at an address that the stack's settings give, which may be a private one. The others stay out
 * of the VPC: they start faster there, and need no way from it to AWS and the vendors.
 */
function callsOwnAddress(declaration: DeclaredFunction, resources: FunctionResources): boolean {
  const { variables } = resources;
  return vendorsOf(declaration, resources).some(
    ({ address }) => address !== undefined && variables[address] !== undefined,
  );
}

/** The vendors and stores that a function calls, also the vendors that not every stack has. */
function vendorsOf(
  declaration: DeclaredFunction,
  { stores }: Pick<FunctionResources, 'stores'>,
): VendorDeclaration[] {
  const { vendors = [], optional_vendors = [] } = declaration;
  const names = [...vendors, ...optional_vendors, ...storesOf(declaration, stores)];
  return [...new Set(names)].map((vendor) => VENDORS[vendor]);
}

/** What the function may do, beside writing its own log and its traces. */
function statementsOf(
  declaration: DeclaredFunction,
  resources: FunctionResources,
): PolicyStatement[] {
  const { table = {}, objects = {}, objects_of_event = {}, starts = [] } = declaration;
  const { tableArn, keys, variables } = resources;
  const secrets = vendorsOf(declaration, resources).flatMap(({ secret }) =>
    secret === undefined ? [] : (variables[secretArnVariable(secret)] ?? []),
  );
  return [
    ...tableStatements(table, tableArn),
    ...tableKeyPermissions(keys.table, Object.values(table).flat()),
    ...objectStatements(objects, resources),
    ...objectStatements(objects_of_event, resources),
    ...listingStatements(declaration, resources),
    ...vectorStatements(declaration, resources),
    ...sourceStatements(declaration, resources),
    ...starts.map((workflow) => ({
      actions: ['states:StartExecution'],
      resources: [needed(variables, STARTED_WORKFLOWS[workflow])],
    })),
    ...(declaration.describes_executions === true
      ? [{ actions: ['states:DescribeExecution'], resources: resources.executionArns }]
      : []),
    ...secrets.map((arn) => ({ actions: ['secretsmanager:GetSecretValue'], resources: [arn] })),
  ];
}

/** What Lambda does under a function's role to feed it (Lambda's guide, on DynamoDB and on SQS), and what the function sends. */
function sourceStatements(
  { fed_by, sends_to = [] }: DeclaredFunction,
  { sources }: Pick<FunctionResources, 'sources'>,
): PolicyStatement[] {
  const sent = sends_to.map((queue) => needed(sources, queue).arn);
  const send = (arn: pulumi.Input<string>): PolicyStatement => ({
    actions: ['sqs:SendMessage'],
    resources: [arn],
  });
  if (fed_by === undefined) return sent.map(send);
  const { arn, failedArn } = needed(sources, fed_by);
  return [
    { actions: SOURCE_ACTIONS[fed_by], resources: [arn] },
    // It knows no resources.
    ...(fed_by === 'table_stream' ? [{ actions: ['dynamodb:ListStreams'], resources: ['*'] }] : []),
    ...[...sent, ...(failedArn === undefined ? [] : [failedArn])].map(send),
  ];
}

const SOURCE_ACTIONS: Readonly<Record<EventSource, readonly string[]>> = {
  table_stream: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
  arrivals: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
};

/** @throws TypeError when the stack lacks what a function can't do without. */
function needed<Name extends string, Value>(
  of: Readonly<Partial<Record<Name, Value | undefined>>>,
  name: Name,
): NonNullable<Value> {
  const value = of[name];
  if (value == null) throw new TypeError(`the stack has no ${name}`);
  return value;
}

function tableStatements(needs: TableNeeds, tableArn: pulumi.Input<string>): PolicyStatement[] {
  return Object.entries(needs).map(([part, operations]) => ({
    actions: operations.map((operation) => `dynamodb:${operation}`),
    resources: [part === 'rows' ? tableArn : pulumi.interpolate`${tableArn}/index/${part}`],
  }));
}

/** A bucket that the stack does not have is left out. */
function objectStatements(
  needs: ObjectNeeds,
  { bucketArns, keys }: Pick<FunctionResources, 'bucketArns' | 'keys'>,
): PolicyStatement[] {
  return (Object.keys(needs) as Bucket[]).flatMap((bucket) => {
    const arn = bucketArns[bucket];
    if (arn === undefined) return [];
    const operations = Object.entries(needs[bucket] ?? {}) as [ObjectOperation, string[]][];
    return [
      ...operations.map(([operation, patterns]) => ({
        actions: [`s3:${operation}`],
        resources: patterns.map((pattern) => pulumi.interpolate`${arn}/${pattern}`),
      })),
      ...objectKeyPermissions(
        keys[bucket],
        operations.map(([operation]) => OBJECT_ACCESS[operation]),
      ),
    ];
  });
}

/** Without a condition on a prefix: with one, S3 answers 403 for an object that is not there. */
function listingStatements(
  { tells_missing = [] }: DeclaredFunction,
  { bucketArns }: Pick<FunctionResources, 'bucketArns'>,
): PolicyStatement[] {
  return tells_missing.flatMap((bucket) => {
    const arn = bucketArns[bucket];
    return arn === undefined ? [] : [{ actions: ['s3:ListBucket'], resources: [arn] }];
  });
}

/** On the indexes of the stack's present model alone. */
function vectorStatements(
  declaration: DeclaredFunction,
  { stores, vectorIndexArns: resources }: FunctionResources,
): PolicyStatement[] {
  const { operations = [] } = declaration.stores ?? {};
  return storesOf(declaration, stores).flatMap((store) => {
    const { vector_actions: actions }: StoreDeclaration = STORES[store];
    const needed = new Set(operations.flatMap((operation) => actions?.[operation] ?? []));
    return needed.size === 0 ? [] : [{ actions: [...needed], resources }];
  });
}

/** What an operation does with an object's key; files of functions are written at once. */
const OBJECT_ACCESS: Readonly<Record<ObjectOperation, ObjectAccess>> = {
  GetObject: 'read',
  PutObject: 'write',
};
