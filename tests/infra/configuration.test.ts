// Not proved here: what each value must be (components/settings.test.ts), and that `pulumi config` takes it.
import { beforeAll, describe, expect, it } from 'vitest';
import { SECRET_NAMES, SETTING_NAMES } from '../../components/settings.ts';
import { rejection } from '../support/rejection.ts';
import { OPENAI_KEY, runProgram, type RecordedDeployment } from './recorded_program.ts';

/** All that can differ of a deployment, by resource. */
function picture({ registrations }: RecordedDeployment): ReadonlyMap<string, string> {
  return new Map(
    registrations.map(({ type, name, wireInputs, protect }) => [
      `${type.split(':').at(-1) ?? ''} ${name}`,
      JSON.stringify([wireInputs, protect]),
    ]),
  );
}

function differences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const all = new Set([...before.keys(), ...after.keys()]);
  return [...all].filter((name) => before.get(name) !== after.get(name)).sort();
}

const PROCESS = 'Function process-receipt-realtime-function';
const FIND = 'Function find-receipts-realtime-function';
const SUMMARIZE = 'Function summarize-realtime-run-function';
const MACHINE = 'StateMachine realtime-embedding-state-machine';

const EFFECTS: Readonly<Record<string, { readonly value: string; readonly changes: string[] }>> = {
  dynamodb_table_name: {
    value: 'our-receipts',
    changes: [
      FIND,
      PROCESS,
      'RolePolicy find-receipts-realtime-policy',
      'RolePolicy process-receipt-realtime-policy',
      'Table receipts-table',
    ],
  },
  chromadb_bucket_name: {
    value: 'our-vectors',
    changes: [
      'Bucket chromadb-bucket',
      'BucketLifecycleConfiguration chromadb-lifecycle',
      'BucketPolicy chromadb-tls-only',
      'BucketPublicAccessBlock chromadb-privacy',
      'BucketServerSideEncryptionConfiguration chromadb-encryption',
      'BucketVersioning chromadb-versioning',
      FIND,
      PROCESS,
      'RolePolicy find-receipts-realtime-policy',
      'RolePolicy process-receipt-realtime-policy',
      'RolePolicy realtime-embedding-policy',
      'RolePolicy summarize-realtime-run-policy',
      MACHINE,
    ],
  },
  openai_base_url: { value: 'https://openai.example/v1', changes: [PROCESS] },
  embedding_model: { value: 'text-embedding-3-large', changes: [PROCESS, SUMMARIZE] },
  embedding_dimensions: { value: '512', changes: [PROCESS] },
  chroma_http_endpoint: { value: 'https://chroma.example', changes: [PROCESS] },
  max_concurrency: { value: '11', changes: [MACHINE] },
  child_execution_type: { value: 'EXPRESS', changes: [MACHINE] },
  tolerated_failure_percentage: { value: '11', changes: [MACHINE] },
  log_retention_days: {
    value: '60',
    changes: [
      'LogGroup find-receipts-realtime-logs',
      'LogGroup process-receipt-realtime-logs',
      'LogGroup realtime-embedding-logs',
      'LogGroup summarize-realtime-run-logs',
    ],
  },
  protect_data: {
    value: 'true',
    changes: [
      'Bucket chromadb-bucket',
      'Secret receipt-embedding-openai-api-key-secret',
      'Table receipts-table',
    ],
  },
};

describe('each setting', () => {
  let before: ReadonlyMap<string, string>;

  beforeAll(async () => {
    before = picture(await runProgram());
  });

  it('is tried here', () => {
    expect(Object.keys(EFFECTS)).toStrictEqual(SETTING_NAMES);
    expect(SECRET_NAMES).toStrictEqual(['openai_api_key', 'google_places_api_key']);
  });

  it.each(Object.entries(EFFECTS))(
    '%s changes what it is about, and nothing else',
    async (name, { value, changes }) => {
      const after = picture(await runProgram({ config: { [name]: value } }));
      expect(differences(before, after)).toStrictEqual(changes);
    },
  );

  it('openai_api_key changes the value of its secret, and nothing else', async () => {
    const after = picture(await runProgram({ secrets: { openai_api_key: 'another' } }));
    expect(differences(before, after)).toStrictEqual([
      'SecretVersion receipt-embedding-openai-api-key-version',
    ]);
  });

  it('google_places_api_key adds a secret, which process_receipt_realtime may read', async () => {
    const secrets = { openai_api_key: OPENAI_KEY, google_places_api_key: 'places' };
    const after = picture(await runProgram({ secrets }));
    expect(differences(before, after)).toStrictEqual([
      'ApiKeySecret receipt-embedding-google-places-api-key',
      PROCESS,
      'RolePolicy process-receipt-realtime-policy',
      'Secret receipt-embedding-google-places-api-key-secret',
      'SecretVersion receipt-embedding-google-places-api-key-version',
    ]);
  });

  it('counts as missing when it is empty', async () => {
    const config = Object.fromEntries(SETTING_NAMES.map((name) => [name, '']));
    expect(differences(before, picture(await runProgram({ config })))).toStrictEqual([]);
  });
});

describe('a stack whose configuration is wrong', () => {
  it('is refused with every problem at once, each with the command that mends it', async () => {
    const { name, message } = await rejection(
      runProgram({
        config: {
          max_concurrency: '0',
          log_retention_days: '31',
          embedding_model: 'ada',
          max_concurency: '5',
        },
        secrets: { openai_api_key: '' },
      }),
    );

    expect(name).toBe('InvalidSettings');
    const [head, ...problems] = message.split('\n');
    expect(head).toBe("the stack's configuration has 5 problems:");
    expect(problems.map((problem) => problem.replace(/ \(.*\)/, ''))).toStrictEqual([
      '  - openai_api_key is not set: pulumi config set --secret openai_api_key <value>',
      '  - max_concurency is no setting: pulumi config rm max_concurency',
      '  - embedding_model is wrong: pulumi config set embedding_model <value>',
      '  - max_concurrency is wrong: pulumi config set max_concurrency <value>',
      '  - log_retention_days is wrong: pulumi config set log_retention_days <value>',
    ]);
  });

  it('registers nothing', async () => {
    const registered = await registrationsOf({ max_concurrency: 'many' });
    expect(registered).toStrictEqual([]);
  });
});

async function registrationsOf(config: Record<string, string>): Promise<string[]> {
  const seen: string[] = [];
  await rejection(runProgram({ config }, ({ name }) => seen.push(name)));
  return seen;
}
