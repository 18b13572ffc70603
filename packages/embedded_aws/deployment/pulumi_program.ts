import * as pulumi from '@pulumi/pulumi';
import { registeredState } from './registered_state.ts';

/** A resource as the program registers it: its inputs, and what the provider would make of them. */
export interface RegisteredResource {
  /** `aws:s3/bucket:Bucket`, or a component's token. */
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly state: Readonly<Record<string, unknown>>;
}

export interface Deployment {
  /** In the order of their registration, which respects their dependencies. */
  readonly resources: readonly RegisteredResource[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

export interface ProgramSettings {
  readonly stack: string;
  readonly region: string;
  readonly accountId: string;
  /** The project's settings, without the project's name before them. */
  readonly config: Readonly<Record<string, string>>;
  /** Secrets among them. */
  readonly secrets: Readonly<Record<string, string>>;
}

const PROJECT = 'receipt-embeddings';

/** Counts the runs in this process: a module is evaluated once an address. */
let runs = 0;

/**
 * Runs the Pulumi program itself under Pulumi's mocks. What it registers is what `pulumi up` would deploy.
 *
 * Pulumi keeps its configuration and mocks in the process: one program at a time.
 */
export async function runPulumiProgram(settings: ProgramSettings): Promise<Deployment> {
  const { stack, region, accountId } = settings;
  const resources: RegisteredResource[] = [];
  const prefixed = (values: Readonly<Record<string, string>>): [string, string][] =>
    Object.entries(values).map(([name, value]) => [`${PROJECT}:${name}`, value]);
  const secrets = prefixed(settings.secrets);
  pulumi.runtime.setAllConfig(
    { ...Object.fromEntries([...prefixed(settings.config), ...secrets]), 'aws:region': region },
    secrets.map(([name]) => name),
  );
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        const plain = unwrapSecrets(inputs) as Record<string, unknown>;
        const { id, state } = registeredState(type, name, plain, { region, accountId });
        resources.push({ type, name, inputs: plain, state });
        return { id, state };
      },
      call: ({ token, inputs }) => answerCall(token, inputs as Record<string, unknown>, settings),
    },
    PROJECT,
    stack,
    false,
  );
  runs++;
  const address = new URL(`../../../index.ts?run=${runs}`, import.meta.url).href;
  // Vite, under which the tests run, wants to know every file that an import may name. Also after a failure
  // everything is waited for: what is still being registered would else reach the next program.
  const program = (await import(/* @vite-ignore */ address).finally(() =>
    pulumi.runtime.waitForRPCs(),
  )) as { readonly default: Record<string, unknown> };
  return { resources, outputs: await known(program.default) };
}

/** The answers of the provider's functions that the program calls. */
function answerCall(
  token: string,
  inputs: Record<string, unknown>,
  { region, accountId }: ProgramSettings,
): Record<string, unknown> {
  switch (token) {
    case 'aws:index/getPartition:getPartition':
      return { partition: 'aws' };
    case 'aws:index/getRegion:getRegion':
      return { region };
    case 'aws:index/getCallerIdentity:getCallerIdentity':
      return { accountId };
    case 'aws:dynamodb/getTable:getTable':
      return registeredState('aws:dynamodb/table:Table', '', inputs, { region, accountId }).state;
    case 'aws:s3/getBucket:getBucket':
      return registeredState('aws:s3/bucket:Bucket', '', inputs, { region, accountId }).state;
    default:
      throw new Error(`the program calls ${token}, which the local deployment has no answer for`);
  }
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
