import {
  type Deployment,
  type ProgramSettings,
  runPulumiProgram,
} from 'embedded-aws/deployment/pulumi_program';
import { vi } from 'vitest';
import { recordRegistrations, type Registration } from './recorded_registrations.ts';

export type { Registration } from './recorded_registrations.ts';

// These tests look at what is registered, not at what the bundles hold (tests/bundles does that).
vi.mock('../../components/bundling/bundles.ts', () => ({
  bundleAll: () =>
    Promise.resolve({ layer: 'bundles/layer', handler: (name: string) => `bundles/${name}` }),
}));

export interface RecordedDeployment extends Deployment {
  readonly registrations: readonly Registration[];
  /** What the program tells whoever deploys it. */
  readonly messages: readonly string[];
}

export const REGION = 'us-east-1';
export const ACCOUNT_ID = '123456789012';
/** Looked for in every input, so it must be like nothing else. */
export const OPENAI_KEY = 'sk-openai-3f1d9c';
export const PLACES_KEY = 'places-key-77ab02';
export const PINECONE_KEY = 'pcsk-key-5e2c81';

/** What a stack needs to have the batch path. */
export const WITH_BATCH_PATH = {
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
  onRegistration?: (registration: Registration) => void,
): Promise<RecordedDeployment> {
  const { result, registrations, messages } = await recordRegistrations(
    () =>
      runPulumiProgram({
        stack: 'dev',
        region: REGION,
        accountId: ACCOUNT_ID,
        config: {},
        secrets: { openai_api_key: OPENAI_KEY },
        ...settings,
      }),
    onRegistration,
  );
  return { ...result, registrations, messages };
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
