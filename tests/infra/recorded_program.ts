import * as pulumi from '@pulumi/pulumi';
import type { RegisterResourceRequest } from '@pulumi/pulumi/proto/resource_pb.js';
import { MockMonitor } from '@pulumi/pulumi/runtime/mocks.js';
import {
  type Deployment,
  type ProgramSettings,
  runPulumiProgram,
  type TableDescription,
} from 'embedded-aws/deployment/pulumi_program';
import { vi } from 'vitest';

// These tests look at what is registered, not at what the bundles hold (tests/bundles does that).
vi.mock('../../components/bundling/bundles.ts', async (original) => ({
  ...(await original<typeof import('../../components/bundling/bundles.ts')>()),
  bundleAll: () =>
    Promise.resolve({ layer: 'bundles/layer', handler: (name: string) => `bundles/${name}` }),
}));

// Two runs of the program are compared here.
export const SUFFIX = '5ec0de00';
vi.mock('../../components/names.ts', async (original) => ({
  ...(await original<typeof import('../../components/names.ts')>()),
  randomSuffix: () => '5ec0de00',
}));

export interface RecordedDeployment extends Deployment {
  readonly registrations: readonly Registration[];
  /** What the program tells whoever deploys it. */
  readonly messages: readonly string[];
}

const REGION = 'us-east-1';
export const ACCOUNT_ID = '123456789012';
/** Looked for in every input, so it must be like nothing else. */
export const OPENAI_KEY = 'sk-openai-3f1d9c';
export const PLACES_KEY = 'places-key-77ab02';
export const PINECONE_KEY = 'pcsk-key-5e2c81';

/** A table that somebody has already, of the form that the functions need; on purpose not taken from the program. */
export const OUR_RECEIPTS: TableDescription = {
  hashKey: 'PK',
  rangeKey: 'SK',
  attributes: [
    ...['PK', 'SK', 'GSI1PK', 'GSI1SK', 'GSI2PK', 'GSI2SK', 'GSI3PK', 'GSI3SK', 'TYPE'],
  ].map((name) => ({ name, type: 'S' })),
  globalSecondaryIndexes: [
    ...['GSI1', 'GSI2', 'GSI3'].map((name) => ({
      name,
      projectionType: 'ALL' as const,
      keySchemas: [
        { attributeName: `${name}PK`, keyType: 'HASH' as const },
        { attributeName: `${name}SK`, keyType: 'RANGE' as const },
      ],
    })),
    {
      name: 'GSITYPE',
      projectionType: 'ALL',
      keySchemas: [{ attributeName: 'TYPE', keyType: 'HASH' }],
    },
  ],
  ttl: { attributeName: 'time_to_live', enabled: true },
};

/** What a stack needs to have the store `pinecone` beside `s3_vectors`. */
export const WITH_PINECONE = {
  config: { pinecone_index_name: 'receipts' },
  secrets: { openai_api_key: OPENAI_KEY, pinecone_api_key: PINECONE_KEY },
} as const;

/**
 * Runs the program as the stack `dev` with the required secret alone, but for what is given.
 *
 * @param onRegistration sees what a program registers that fails later.
 */
export async function runProgram(
  settings: Partial<ProgramSettings> = {},
  onRegistration: (registration: Registration) => void = () => undefined,
): Promise<RecordedDeployment> {
  return await recordRegistrations(
    () =>
      runPulumiProgram({
        program: new URL('../../index.ts', import.meta.url),
        project: 'receipt-embeddings',
        stack: 'dev',
        region: REGION,
        accountId: ACCOUNT_ID,
        config: {},
        secrets: { openai_api_key: OPENAI_KEY },
        existingTables: { 'our-receipts': OUR_RECEIPTS },
        ...settings,
      }),
    onRegistration,
  );
}

/** The one resource of this type and name. */
export function resource(
  { resources }: Deployment,
  type: string,
  name: string,
): Readonly<Record<string, unknown>> {
  const found = resources.filter((each) => each.type === type && each.name === name);
  const [only] = found;
  if (only === undefined || found.length !== 1) {
    throw new Error(`there are ${found.length} resources ${type} ${name}`);
  }
  return only.inputs;
}

/** The inputs of all resources of a type, by the resource's name. */
export function resourcesOf(
  { resources }: Deployment,
  type: string,
): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  return Object.fromEntries(
    resources.filter((each) => each.type === type).map(({ name, inputs }) => [name, inputs]),
  );
}

/** A resource as Pulumi's engine is asked to register it; the mocks themselves tell less. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  /** `type::name` of its parent; undefined right under the stack. */
  readonly parent: string | undefined;
  /** As they go over the wire: secrets are marked, and not unwrapped. */
  readonly wireInputs: Readonly<Record<string, unknown>>;
  readonly protect: boolean;
  /** Whether Pulumi forgets it where it would delete it. */
  readonly retainOnDelete: boolean;
  /** `type::name` of each resource that has to be there first. */
  readonly dependencies: readonly string[];
  /** `type::name` of the resources that an input comes from, by the input's name. */
  readonly inputDependencies: Readonly<Record<string, readonly string[]>>;
}

/** Pulumi takes a stack trace of every promise; as long as Vitest likes them, that is half of a test's time. */
const STACK_TRACE_LIMIT = 5;

/** Runs the program, and waits for all that it registers. */
async function recordRegistrations(
  run: () => Promise<Deployment>,
  onRegistration: (registration: Registration) => void,
): Promise<RecordedDeployment> {
  const registrations: Registration[] = [];
  const messages: string[] = [];
  const record = (message: string): Promise<void> => {
    messages.push(message);
    return Promise.resolve();
  };
  const inform = vi.spyOn(pulumi.log, 'info').mockImplementation(record);
  const warn = vi.spyOn(pulumi.log, 'warn').mockImplementation(record);
  const register = vi.spyOn(MockMonitor.prototype, 'registerResource').mockImplementation(function (
    this: MockMonitor,
    request: RegisterResourceRequest,
    callback,
  ) {
    const registered = registration(request);
    registrations.push(registered);
    onRegistration(registered);
    return original.call(this, request, callback);
  });
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = STACK_TRACE_LIMIT;
  try {
    return { ...(await run()), registrations, messages };
  } catch (error) {
    // What a failed program had begun to register must not end up in the next one.
    await pulumi.runtime.waitForRPCs();
    throw error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    register.mockRestore();
    inform.mockRestore();
    warn.mockRestore();
  }
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` above
const original = MockMonitor.prototype.registerResource;

function registration(request: RegisterResourceRequest): Registration {
  return {
    type: request.getType(),
    name: request.getName(),
    parent: typeAndName(request.getParent()),
    wireInputs: request.getObject()?.toJavaScript() ?? {},
    protect: request.getProtect() === true,
    retainOnDelete: request.getRetainondelete() === true,
    dependencies: request.getDependenciesList().map((urn) => typeAndName(urn) ?? ''),
    inputDependencies: Object.fromEntries(
      [...request.getPropertydependenciesMap().entries()].map(([input, from]) => [
        input,
        from.getUrnsList().map((urn) => typeAndName(urn) ?? ''),
      ]),
    ),
  };
}

/** `urn:pulumi:{stack}::{project}::{parent types}${type}::{name}` without all that says where it is. */
function typeAndName(urn: string): string | undefined {
  const [, , types = '', name = ''] = urn.split('::');
  return urn === '' ? undefined : `${types.split('$').at(-1) ?? ''}::${name}`;
}
