import * as pulumi from '@pulumi/pulumi';
import { registeredState } from './registered_state.ts';

/** A resource as the program registers it: its inputs, and what the provider would make of them. */
export interface RegisteredResource {
  /** `aws:s3/bucket:Bucket`, or a component's token. */
  readonly type: string;
  readonly name: string;
  /** Whether it is a component, which groups other resources and is none of AWS's. */
  readonly component?: boolean;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly state: Readonly<Record<string, unknown>>;
}

export interface Deployment {
  /** In the order of their registration, which respects their dependencies. */
  readonly resources: readonly RegisteredResource[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** A Pulumi program, and what it is deployed with. */
export interface ProgramSettings {
  /**
   * The address of the program's module, whose outputs are its default export or else its other exports; or a function
   * that registers its resources and returns its outputs.
   */
  readonly program: URL | (() => unknown);
  /** The project's name, as in its `Pulumi.yaml`. */
  readonly project: string;
  readonly stack: string;
  readonly region: string;
  readonly accountId: string;
  /**
   * The partition of AWS: `aws-us-gov`, `aws-cn`.
   *
   * @default aws
   */
  readonly partition?: string;
  /**
   * Where the URLs of queues begin.
   *
   * @default SQS's of the region
   */
  readonly sqsUrl?: string;
  /**
   * Tables that are there before the program runs, by their names.
   *
   * @default none
   */
  readonly existingTables?: Readonly<Record<string, TableDescription>>;
  /** The stack's configuration, `name` or `namespace:name`; a name alone is the project's. */
  readonly config: Readonly<Record<string, string>>;
  /** Its secrets, named as the configuration. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** A table's form, as a program would write it. */
export interface TableDescription {
  readonly hashKey: string;
  readonly rangeKey?: string;
  readonly attributes: readonly { readonly name: string; readonly type: 'S' | 'N' | 'B' }[];
  readonly globalSecondaryIndexes?: readonly IndexDescription[];
  /** @default false */
  readonly streamEnabled?: boolean;
  readonly streamViewType?: 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';
  readonly ttl?: { readonly attributeName: string; readonly enabled: boolean };
}

interface IndexDescription {
  readonly name: string;
  readonly projectionType: 'ALL' | 'KEYS_ONLY' | 'INCLUDE';
  readonly nonKeyAttributes?: string[];
  readonly keySchemas: readonly {
    readonly attributeName: string;
    readonly keyType: 'HASH' | 'RANGE';
  }[];
}

/** Counts the runs in this process: a module is evaluated once an address. */
let runs = 0;

/**
 * Runs the Pulumi program itself under Pulumi's mocks. What it registers is what `pulumi up` would deploy.
 *
 * Pulumi keeps its configuration and mocks in the process: one program at a time.
 *
 * @throws what the program throws.
 */
export async function runPulumiProgram(settings: ProgramSettings): Promise<Deployment> {
  const { project, stack, region } = settings;
  const resources: RegisteredResource[] = [];
  const qualified = (values: Readonly<Record<string, string>>): [string, string][] =>
    Object.entries(values).map(([name, value]) => [
      name.includes(':') ? name : `${project}:${name}`,
      value,
    ]);
  const secrets = qualified(settings.secrets);
  pulumi.runtime.setAllConfig(
    { ...Object.fromEntries([...qualified(settings.config), ...secrets]), 'aws:region': region },
    secrets.map(([name]) => name),
  );
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, custom }) => {
        const plain = unwrapSecrets(inputs) as Record<string, unknown>;
        const { id, state } = registeredState(type, name, plain, settings);
        resources.push({ type, name, component: custom === false, inputs: plain, state });
        return { id, state };
      },
      call: ({ token, inputs }) => answerCall(token, inputs as Record<string, unknown>, settings),
    },
    project,
    stack,
    false,
  );
  // Also after a failure everything is waited for: what is still being registered would else reach the next program.
  const outputs = await evaluate(settings.program).finally(() => pulumi.runtime.waitForRPCs());
  return { resources, outputs: await known(outputs) };
}

async function evaluate(program: ProgramSettings['program']): Promise<Record<string, unknown>> {
  if (typeof program === 'function') {
    return ((await program()) ?? {}) as Record<string, unknown>;
  }
  const address = new URL(program);
  address.searchParams.set('run', String(++runs));
  // Vite, under which the tests run, wants to know every file that an import may name.
  const module = (await import(/* @vite-ignore */ address.href)) as Record<string, unknown>;
  return (module['default'] ?? { ...module }) as Record<string, unknown>;
}

/** The answers of the provider's functions that the program calls. */
function answerCall(
  token: string,
  inputs: Record<string, unknown>,
  settings: ProgramSettings,
): Record<string, unknown> {
  const { partition = 'aws' } = settings;
  switch (token) {
    case 'aws:index/getPartition:getPartition':
      return {
        partition,
        dnsSuffix: partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com',
      };
    case 'aws:index/getRegion:getRegion':
      return { region: settings.region };
    case 'aws:index/getCallerIdentity:getCallerIdentity':
      return { accountId: settings.accountId };
    case 'aws:dynamodb/getTable:getTable':
      return describeTable(String(inputs['name']), settings);
    case 'aws:s3/getBucket:getBucket':
      return registeredState('aws:s3/bucket:Bucket', '', inputs, settings).state;
    default:
      throw new Error(`the program calls ${token}, which the embedded AWS does not know`);
  }
}

/** What the provider says of a table that is there already. */
function describeTable(name: string, settings: ProgramSettings): Record<string, unknown> {
  const table = settings.existingTables?.[name];
  if (table === undefined)
    throw new Error(`reading DynamoDB Table (${name}): couldn't find resource`);
  const { globalSecondaryIndexes = [], ttl = { attributeName: '', enabled: false } } = table;
  return {
    rangeKey: '',
    streamEnabled: false,
    streamArn: '',
    streamLabel: '',
    streamViewType: '',
    ...registeredState('aws:dynamodb/table:Table', '', { ...table, name }, settings).state,
    ttl,
    globalSecondaryIndexes: globalSecondaryIndexes.map((index) => ({
      ...index,
      hashKey: keyOf(index, 'HASH'),
      rangeKey: keyOf(index, 'RANGE'),
    })),
  };
}

/** Empty where there is none. */
function keyOf({ keySchemas }: IndexDescription, type: 'HASH' | 'RANGE'): string {
  return keySchemas.find(({ keyType }) => keyType === type)?.attributeName ?? '';
}

function known(program: Record<string, unknown>): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    pulumi.all({ ...program }).apply((outputs) => {
      resolve(outputs);
    });
  });
}

/** How Pulumi's protocol marks a secret value. */
const SIGNATURE = '4dabf18193072939515e22adb298388d';
const SECRET = '1b47061264138c4ac30d75fd1eb44270';

function unwrapSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapSecrets);
  if (value === null || typeof value !== 'object' || pulumi.asset.Archive.isInstance(value)) {
    return value;
  }
  const record = value as Record<string, unknown>;
  if (record[SIGNATURE] === SECRET) return unwrapSecrets(record['value']);
  return Object.fromEntries(
    Object.entries(record).map(([name, inner]) => [name, unwrapSecrets(inner)]),
  );
}
