import { STORES } from 'receipt-embedding/stores/open_stores';
import type {
  StoreDeclaration,
  StoreName,
  StoreOperation,
} from 'receipt-embedding/stores/vector_store';
import { secureUrlSchema } from 'receipt-embedding/vendor_answers/credentials';
import { z } from 'zod';

export type { StoreName };

/**
 * What a function needs, said once, as data. Its environment, its role, its size, its alarms and the estimate of its cost
 * follow from it. Nothing here loads an SDK or Pulumi, so that functions, deployment and commands can all read it.
 */
export interface FunctionDeclaration {
  /** Its folder in `simple_lambdas`. The Lambda function is `embedding-{name, in kebab case}-lambda-{stack}`. */
  readonly name: string;
  /**
   * The folder of its code, where several functions share one.
   *
   * @default its name
   */
  readonly folder?: string;
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
  /**
   * Buckets of which it must know that an object is not there: S3 answers 404 only to whoever may list the whole bucket, and 403
   * to anybody else (API reference of GetObject).
   */
  readonly tells_missing?: readonly Bucket[];
  /** What invokes it with batches of what has come in. */
  readonly fed_by?: EventSource;
  /** Queues that it sends messages to. Their addresses are in its environment. */
  readonly sends_to?: readonly Queue[];
  /** Workflows that it starts. Their state machines are in its environment. */
  readonly starts?: readonly Workflow[];
  /** Whether it asks Step Functions how executions of the stack's own state machines stand. */
  readonly describes_executions?: true;
  /** What it does with the stack's vector stores. Each of these brings its secret and its variables. */
  readonly stores?: StoreNeeds;
  /** Vendors that it calls. Each brings its secret and its variables. */
  readonly vendors?: readonly Vendor[];
  /** Vendors that it calls where the stack has them. */
  readonly optional_vendors?: readonly Vendor[];
  /** Variables beside those of the table, the buckets and the vendors. */
  readonly variables?: readonly (keyof typeof VARIABLES)[];
}

/** By their actions in IAM: a BatchExecuteStatement of updates is `PartiQLUpdate`. */
export type TableOperation =
  | 'BatchGetItem'
  | 'BatchWriteItem'
  | 'DeleteItem'
  | 'GetItem'
  | 'PartiQLUpdate'
  | 'PutItem'
  | 'Query'
  | 'UpdateItem';
export type TableIndex = 'GSI1' | 'GSI2' | 'GSI3' | 'GSITYPE';
export type TableNeeds = Readonly<Partial<Record<TableIndex, readonly 'Query'[]>>> & {
  readonly rows?: readonly TableOperation[];
};

export type Bucket = keyof typeof BUCKETS;
export type ObjectOperation = 'GetObject' | 'PutObject';
export type ObjectNeeds = Readonly<
  Partial<Record<Bucket, Readonly<Partial<Record<ObjectOperation, readonly string[]>>>>>
>;

/** The stream of the users' table, or a queue. */
export type EventSource = 'table_stream' | Queue;
export type Queue = keyof typeof QUEUES;
type Workflow = keyof typeof STARTED_WORKFLOWS;

/** What a function does with vector stores. */
export interface StoreNeeds {
  readonly operations: readonly StoreOperation[];
  /**
   * One store alone.
   *
   * @default all stores of the stack
   */
  readonly only?: StoreName;
}

/** What a vendor or a vector store needs. */
export type VendorDeclaration = StoreDeclaration;

/** Every vector store, in the order in which a stack's are written to where its settings don't say. */
export const STORE_NAMES = Object.keys(STORES) as readonly StoreName[];

/** Every vendor, the vector stores among them. The variables of each are listed here and nowhere else. */
export const VENDORS = {
  openai: {
    secret: 'OPENAI_API_KEY',
    address: 'OPENAI_BASE_URL',
    variables: {},
    optional_variables: { OPENAI_BASE_URL: secureUrlSchema },
  },
  google_places: { secret: 'GOOGLE_PLACES_API_KEY', variables: {}, optional_variables: {} },
  ...STORES,
} as const satisfies Readonly<Record<string, VendorDeclaration>>;

export type Vendor = keyof typeof VENDORS;

/** Both buckets, by the variable that has its name. */
export const BUCKETS = { chromadb: 'CHROMADB_BUCKET', batch: 'BATCH_BUCKET' } as const;

/** The queues, by the variable that has the address of each. */
export const QUEUES = { arrivals: 'ARRIVALS_QUEUE_URL' } as const;

/** The workflows that functions start, by the variable that has the state machine of each. */
export const STARTED_WORKFLOWS = { realtime: 'REALTIME_STATE_MACHINE_ARN' } as const;

/** Every other variable that a function may read, with its format. */
export const VARIABLES = {
  DYNAMODB_TABLE_NAME: z.string(),
  CHROMADB_BUCKET: z.string(),
  BATCH_BUCKET: z.string(),
  ARRIVALS_QUEUE_URL: z.string(),
  REALTIME_STATE_MACHINE_ARN: z.string(),
  BATCH_MAX_TOKENS: z.coerce.number().int().min(1),
  /** Whether the files of batches that have ended stay at OpenAI. */
  KEEP_OPENAI_FILES: z.stringbool(),
  EMBEDDING_MODEL: z.string(),
  EMBEDDING_DIMENSIONS: z.coerce.number().int().min(1),
  /** Whether batches too write `COMPACTION_RUN` rows, which start a compactor. */
  BATCH_COMPACTION_RUNS: z.stringbool(),
  /** The stores that a function handles, apart by commas. Whoever declares stores has it. */
  VECTOR_STORES: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(Object.keys(STORES) as [StoreName, ...StoreName[]]))),
} as const;

/** Lambda's longest, seconds. */
const LONGEST_TIMEOUT_S = 900;

/** A function's declaration, with its default timeout filled in. */
export function declareFunction<const Declaration extends FunctionDeclaration>(
  declaration: Declaration,
): { readonly timeout_s: number } & Declaration {
  return { timeout_s: LONGEST_TIMEOUT_S, ...declaration };
}

/** A function's declaration, complete with what is by default. */
export type DeclaredFunction = ReturnType<typeof declareFunction>;

/** The variables of a function's environment, each with its format. */
export interface DeclaredVariables {
  readonly required: Readonly<Record<string, z.ZodType>>;
  readonly optional: Readonly<Record<string, z.ZodType>>;
}

/**
 * The variables that follow from a declaration. Of a secret, a function has either the variable itself or `…_SECRET_ARN`, so
 * both are optional. So are those of stores: a stack has some of them.
 *
 * @param stores those of the stack.
 * @example
 * Object.keys(variablesOf(declareFunction({ name: 'a', description: '', memory_mb: 512, vendors: ['openai'] })).optional)
 * // ['OPENAI_BASE_URL', 'OPENAI_API_KEY', 'OPENAI_API_KEY_SECRET_ARN']
 */
export function variablesOf(
  declaration: FunctionDeclaration,
  stores: readonly StoreName[] = STORE_NAMES,
): DeclaredVariables {
  const { table, objects = {}, variables = [], vendors = [], optional_vendors = [] } = declaration;
  const { sends_to = [], starts = [] } = declaration;
  const names = [
    ...(table === undefined ? [] : (['DYNAMODB_TABLE_NAME'] as const)),
    ...(Object.keys(objects) as Bucket[]).map((bucket) => BUCKETS[bucket]),
    ...sends_to.map((queue) => QUEUES[queue]),
    ...starts.map((workflow) => STARTED_WORKFLOWS[workflow]),
    ...(declaration.stores === undefined ? [] : (['VECTOR_STORES'] as const)),
    ...variables,
  ];
  const needed: VendorDeclaration[] = vendors.map((vendor) => VENDORS[vendor]);
  const used: VendorDeclaration[] = [
    ...optional_vendors.map((vendor) => VENDORS[vendor]),
    ...storesOf(declaration, stores).map((store) => STORES[store]),
  ];
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

/** The stores that a function handles, of those that a stack has. */
export function storesOf(
  { stores: needs }: FunctionDeclaration,
  stores: readonly StoreName[],
): readonly StoreName[] {
  return needs === undefined
    ? []
    : stores.filter((store) => needs.only === undefined || needs.only === store);
}

/** The variable of a deployed function that says where a vendor's secret is. */
export function secretArnVariable<Secret extends string>(secret: Secret): `${Secret}_SECRET_ARN` {
  return `${secret}_SECRET_ARN`;
}

function secretVariables(secret: string): Readonly<Record<string, z.ZodType>> {
  return { [secret]: z.string(), [secretArnVariable(secret)]: z.string() };
}
