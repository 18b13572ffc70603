import { createDynamoDBClient } from 'receipt-embedding/aws_clients';
import { InvalidConfiguration } from 'receipt-embedding/errors';
import type { StoreName } from 'receipt-embedding/stores/vector_store';
import type { Table } from 'receipt-embedding/table/table';
import { z } from 'zod';
import {
  type Bucket,
  type BUCKETS,
  type FunctionDeclaration,
  type Queue,
  type QUEUES,
  type STARTED_WORKFLOWS,
  type VARIABLES,
  variablesOf,
  type Vendor,
  type VENDORS,
} from './declaration.ts';

/**
 * Reads the variables that a function declares, once, when it starts. This is the only place that reads `process.env`. An
 * empty variable counts as missing.
 *
 * @throws InvalidConfiguration with every problem at once; it names variables, never their values.
 * @example
 * readEnvironment(declareFunction({ name: 'a', description: '', memory_mb: 512, variables: ['EMBEDDING_DIMENSIONS'] }))
 * // { EMBEDDING_DIMENSIONS: 1536 }
 */
export function readEnvironment<Declaration extends FunctionDeclaration>(
  declaration: Declaration,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Environment<Declaration> {
  const { required, optional } = variablesOf(declaration);
  const schema = z.object(required).extend(z.object(optional).partial().shape);
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(set);
  if (parsed.success) return parsed.data as unknown as Environment<Declaration>;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new InvalidConfiguration(`the function's environment is wrong: ${problems.join('; ')}`);
}

/** The users' table. */
export function openTable(environment: { readonly DYNAMODB_TABLE_NAME: string }): Table {
  return { client: createDynamoDBClient(), name: environment.DYNAMODB_TABLE_NAME };
}

/** The deployed function's name, which has the stack's in it; a function that is not deployed goes by the name declared. */
export function deployedName({ name }: FunctionDeclaration): string {
  return process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? name;
}

/** What readEnvironment gives for a declaration: its variables with their types. The secrets of its vendors are optional. */
export type Environment<Declaration> = {
  readonly [Name in OwnVariable<Declaration>]: z.output<(typeof VARIABLES)[Name]>;
} & {
  readonly [Name in KeyOf<Needed<Declaration>['variables']>]: ValueOf<
    Needed<Declaration>['variables'],
    Name
  >;
} & {
  readonly [Name in KeyOf<OptionalShape<Declaration>>]?:
    ValueOf<OptionalShape<Declaration>, Name> | undefined;
} & Readonly<
    Partial<
      Record<
        SecretVariable<
          (VendorOf<Declaration, 'vendors' | 'optional_vendors'> | StoreOf<Declaration>) &
            KeyedVendor
        >,
        string | undefined
      >
    >
  >;

/** A vendor that has a secret. */
export type KeyedVendor = {
  [Of in Vendor]: (typeof VENDORS)[Of] extends { readonly secret: string } ? Of : never;
}[Vendor];

/** The variables of a vendor's secret, of which one is set: the secret itself, or where it is. */
export type SecretVariable<Of extends KeyedVendor> =
  (typeof VENDORS)[Of]['secret'] | `${(typeof VENDORS)[Of]['secret']}_SECRET_ARN`;

type OwnVariable<Declaration> =
  | (Declaration extends { readonly table: object } ? 'DYNAMODB_TABLE_NAME' : never)
  | (Declaration extends { readonly objects: infer Objects }
      ? (typeof BUCKETS)[keyof Objects & Bucket]
      : never)
  | (Declaration extends { readonly sends_to: readonly (infer Name)[] }
      ? (typeof QUEUES)[Name & Queue]
      : never)
  | (Declaration extends { readonly starts: readonly (infer Name)[] }
      ? (typeof STARTED_WORKFLOWS)[Name & keyof typeof STARTED_WORKFLOWS]
      : never)
  | (Declaration extends { readonly stores: object } ? 'VECTOR_STORES' : never)
  | (Declaration extends { readonly variables: readonly (infer Name)[] }
      ? Name & keyof typeof VARIABLES
      : never);

type VendorOf<Declaration, List extends string> = {
  [Name in List]: Declaration extends Readonly<Record<Name, readonly (infer Of)[]>>
    ? Of & Vendor
    : never;
}[List];

/** A declaration of all stores has the variables of any. */
type StoreOf<Declaration> = Declaration extends { readonly stores: object } ? StoreName : never;

type Needed<Declaration> = (typeof VENDORS)[VendorOf<Declaration, 'vendors'>];
type OptionalShape<Declaration> =
  | Needed<Declaration>['optional_variables']
  | (typeof VENDORS)[VendorOf<Declaration, 'optional_vendors'> | StoreOf<Declaration>][
      'variables' | 'optional_variables'];

/** Over a union of shapes: the keys of any of them, and the value that one of them has under a key. */
type KeyOf<Shape> = Shape extends unknown ? keyof Shape : never;
type ValueOf<Shape, Name extends PropertyKey> =
  Shape extends Readonly<Record<Name, z.ZodType<infer Value>>> ? Value : never;
