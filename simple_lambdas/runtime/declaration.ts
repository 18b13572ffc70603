import { PINECONE } from 'receipt-embedding/stores/pinecone/declaration';
import { isSecureUrl } from 'receipt-embedding/vendor_answers/credentials';
import { z } from 'zod';

/** An address that keys and texts are sent to: https, or http to this machine. */
export const secureUrlSchema = z
  .string()
  .refine(isSecureUrl, 'expected https://… (http:// is for an address of this machine only)');

/**
 * What a function needs, said once, as data. Its environment, its role, its size, its alarms and the estimate of its cost
 * follow from it. Nothing here loads an SDK or Pulumi, so that functions, deployment and commands can all read it.
 */
export interface FunctionDeclaration {
  /** Its folder in `simple_lambdas`. The Lambda function is `embedding-{name, in kebab case}-lambda-{stack}`. */
  readonly name: string;
  /** What it does, in one line. */
  readonly description: string;
  readonly memory_mb: number;
  /** @default Lambda's own 512 */
  readonly temporary_folder_mb?: number;
  /** @default 900, Lambda's longest */
  readonly timeout_s?: number;
  /** DynamoDB operations on the users' table: on its rows, and on its indexes. */
  readonly table?: TableNeeds;
  /** S3 operations on objects, by bucket and key pattern. The bucket's name is in the function's environment. */
  readonly objects?: ObjectNeeds;
  /**
   * The same where the event names the bucket: the environment has no variable for it. A bucket that the stack does not have
   * is left out of the role.
   */
  readonly objects_of_event?: ObjectNeeds;
  /** Vendors that it calls. Each brings its secret and its variables. */
  readonly vendors?: readonly Vendor[];
  /** Vendors that it calls where the stack has them. */
  readonly optional_vendors?: readonly Vendor[];
  /** Variables beside those of the table, the buckets and the vendors. */
  readonly variables?: readonly (keyof typeof VARIABLES)[];
}

export type TableOperation = 'BatchWriteItem' | 'GetItem' | 'PutItem' | 'Query' | 'UpdateItem';
export type TableIndex = 'GSI1' | 'GSI2' | 'GSI3' | 'GSITYPE';
export type TableNeeds = Readonly<Partial<Record<TableIndex, readonly 'Query'[]>>> & {
  readonly rows?: readonly TableOperation[];
};

export type Bucket = keyof typeof BUCKETS;
export type ObjectOperation = 'GetObject' | 'PutObject';
export type ObjectNeeds = Readonly<
  Partial<Record<Bucket, Readonly<Partial<Record<ObjectOperation, readonly string[]>>>>>
>;

/** What a vendor or a vector store needs. */
export interface VendorDeclaration {
  /** The variable of its key on a developer's machine; a deployed function has `{secret}_SECRET_ARN` instead. */
  readonly secret?: string;
  /** The variable that says where it is, of those below: the stack's own settings may give a private address. */
  readonly address?: string;
  readonly variables: Readonly<Record<string, z.ZodType>>;
  readonly optional_variables: Readonly<Record<string, z.ZodType>>;
}

/** Every vendor and vector store. The variables of each are listed here and nowhere else. */
export const VENDORS = {
  openai: {
    secret: 'OPENAI_API_KEY',
    address: 'OPENAI_BASE_URL',
    variables: {},
    optional_variables: { OPENAI_BASE_URL: secureUrlSchema },
  },
  google_places: { secret: 'GOOGLE_PLACES_API_KEY', variables: {}, optional_variables: {} },
  chroma: {
    secret: 'CHROMA_TOKEN',
    address: 'CHROMA_HTTP_ENDPOINT',
    variables: { CHROMA_HTTP_ENDPOINT: secureUrlSchema },
    optional_variables: { CHROMA_TENANT: z.string(), CHROMA_DATABASE: z.string() },
  },
  pinecone: PINECONE,
} as const satisfies Readonly<Record<string, VendorDeclaration>>;

export type Vendor = keyof typeof VENDORS;

/** Both buckets, by the variable that has its name. */
export const BUCKETS = { chromadb: 'CHROMADB_BUCKET', batch: 'BATCH_BUCKET' } as const;

/** Every other variable that a function may read, with its format. */
export const VARIABLES = {
  DYNAMODB_TABLE_NAME: z.string(),
  CHROMADB_BUCKET: z.string(),
  BATCH_BUCKET: z.string(),
  BATCH_MAX_TOKENS: z.coerce.number().int().min(1),
  /** Whether the files of batches that have ended stay at OpenAI. */
  KEEP_OPENAI_FILES: z.stringbool(),
  EMBEDDING_MODEL: z.string(),
  EMBEDDING_DIMENSIONS: z.coerce.number().int().min(1),
} as const;

/** Lambda's longest, seconds. */
const LONGEST_TIMEOUT_S = 900;

/** A function's declaration, with its default timeout filled in. */
export function declareFunction<const Declaration extends FunctionDeclaration>(
  declaration: Declaration,
): { readonly timeout_s: number } & Declaration {
  return { timeout_s: LONGEST_TIMEOUT_S, ...declaration };
}

/** The variables of a function's environment, each with its format. */
export interface DeclaredVariables {
  readonly required: Readonly<Record<string, z.ZodType>>;
  readonly optional: Readonly<Record<string, z.ZodType>>;
}

/**
 * The variables that follow from a declaration. Of a secret, a function has either the variable itself or `…_SECRET_ARN`, so
 * both are optional.
 *
 * @example
 * Object.keys(variablesOf(declareFunction({ name: 'a', description: '', memory_mb: 512, vendors: ['openai'] })).optional)
 * // ['OPENAI_BASE_URL', 'OPENAI_API_KEY', 'OPENAI_API_KEY_SECRET_ARN']
 */
export function variablesOf(declaration: FunctionDeclaration): DeclaredVariables {
  const { table, objects = {}, variables = [], vendors = [], optional_vendors = [] } = declaration;
  const names = [
    ...(table === undefined ? [] : (['DYNAMODB_TABLE_NAME'] as const)),
    ...(Object.keys(objects) as Bucket[]).map((bucket) => BUCKETS[bucket]),
    ...variables,
  ];
  const needed: VendorDeclaration[] = vendors.map((vendor) => VENDORS[vendor]);
  const used: VendorDeclaration[] = optional_vendors.map((vendor) => VENDORS[vendor]);
  return {
    required: Object.assign(
      Object.fromEntries(names.map((name) => [name, VARIABLES[name]])),
      ...needed.map((vendor) => vendor.variables),
    ) as DeclaredVariables['required'],
    optional: Object.assign(
      {},
      ...used.map((vendor) => vendor.variables),
      ...[...needed, ...used].flatMap((vendor) => [
        vendor.optional_variables,
        vendor.secret === undefined ? {} : secretVariables(vendor.secret),
      ]),
    ) as DeclaredVariables['optional'],
  };
}

/** The variable of a deployed function that says where a vendor's secret is. */
export function secretArnVariable<Secret extends string>(secret: Secret): `${Secret}_SECRET_ARN` {
  return `${secret}_SECRET_ARN`;
}

function secretVariables(secret: string): Readonly<Record<string, z.ZodType>> {
  return { [secret]: z.string(), [secretArnVariable(secret)]: z.string() };
}
