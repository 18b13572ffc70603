import { asset } from '@pulumi/pulumi';
import { beforeAll, describe, expect, it } from 'vitest';
import { stackFunctions } from '../../components/stack_functions.ts';
import { without } from '../support/without.ts';
import {
  OPENAI_KEY,
  PINECONE_KEY,
  PLACES_KEY,
  type RecordedDeployment,
  resource,
  resourcesOf,
  runProgram,
  SUFFIX,
  WITH_PINECONE,
} from './recorded_program.ts';

// Not proved here: that AWS offers this runtime; that handlers start with these variables (tests/bundles does); that roles allow
// what is needed and no more (tests/end_to_end/least_privilege.test.ts does).

const FUNCTION = 'aws:lambda/function:Function';
const POLICY = 'aws:iam/rolePolicy:RolePolicy';
const TABLE = 'receipt-embeddings-receipts-table';
const BUCKET = 'receipt-embeddings-chromadb-bucket';
const VECTOR_BUCKET = `arn:aws:s3vectors:us-east-1:123456789012:bucket/receipt-embedding-dev-${SUFFIX}`;
const INDEXES = ['lines', 'words'].map(
  (collection) => `${VECTOR_BUCKET}/index/${collection}-text-embedding-3-small-1536-${SUFFIX}`,
);
const secretArn = (what: string): string =>
  `arn:aws:secretsmanager:us-east-1:123456789012:secret:receipt-embedding-${what}-dev-000000`;

/** An archive's folder, as it was given. */
function folderOf(archive: unknown): Promise<string> {
  if (!(archive instanceof asset.FileArchive)) throw new TypeError('expected a folder');
  return archive.path;
}

/** The variables of each function, by the function's purpose. */
function environments(deployed: RecordedDeployment): Record<string, Record<string, string>> {
  return Object.fromEntries(
    Object.entries(resourcesOf(deployed, FUNCTION)).map(([name, { environment }]) => [
      name.replace(/-function$/, ''),
      (environment as { readonly variables: Record<string, string> }).variables,
    ]),
  );
}

let deployed: RecordedDeployment;

beforeAll(async () => {
  deployed = await runProgram(WITH_PINECONE);
});

describe('a function', () => {
  it('is set up as its declaration says', async () => {
    const { code, ...inputs } = without(
      resource(deployed, FUNCTION, 'plan-batches-function'),
      'tags',
    );
    expect(inputs).toStrictEqual({
      name: 'embedding-plan-batches-lambda-dev',
      description: 'Packs the lines and words to embed into batches',
      runtime: 'nodejs24.x',
      architectures: ['arm64'],
      handler: 'handler.handler',
      layers: ['arn:aws:lambda:us-east-1:123456789012:layer:receipt-embedding-layer-dev:1'],
      role: 'arn:aws:iam::123456789012:role/embedding-plan-batches-role-dev',
      memorySize: 2_048,
      ephemeralStorage: { size: 1_024 },
      timeout: 900,
      environment: {
        variables: {
          DYNAMODB_TABLE_NAME: TABLE,
          BATCH_BUCKET: 'receipt-embeddings-batch-bucket',
          BATCH_MAX_TOKENS: '3000000',
          EMBEDDING_MODEL: 'text-embedding-3-small',
          EMBEDDING_DIMENSIONS: '1536',
          VECTOR_STORES: 's3_vectors,pinecone',
          S3_VECTORS_BUCKET_ARN: VECTOR_BUCKET,
          S3_VECTORS_INDEX_SUFFIX: SUFFIX,
          PINECONE_INDEX_NAME: 'receipts',
          PINECONE_API_KEY_SECRET_ARN:
            'arn:aws:secretsmanager:us-east-1:123456789012:secret:receipt-embedding-pinecone-api-key-dev-000000',
        },
      },
      tracingConfig: { mode: 'Active' },
      loggingConfig: {
        logFormat: 'JSON',
        logGroup: '/aws/lambda/embedding-plan-batches-lambda-dev',
      },
    });
    expect(await folderOf(code)).toBe('bundles/plan_batches');
  });

  it('has the temporary folder that Lambda gives it, where it declares none', () => {
    const inputs = resource(deployed, FUNCTION, 'get-batch-status-function');
    expect(inputs).not.toHaveProperty('ephemeralStorage');
  });

  it('is one of those that the workflows of the stack invoke, or that is asked', async () => {
    const names = (of: RecordedDeployment): string[] => Object.keys(environments(of)).sort();
    const purposes = (
      vector_stores: Parameters<typeof stackFunctions>[0]['vector_stores'],
      embed_on_arrival = false,
    ): string[] =>
      stackFunctions({ vector_stores, embed_on_arrival })
        .map(({ name }) => name.replaceAll('_', '-'))
        .sort();
    expect(names(deployed)).toStrictEqual(purposes(['s3_vectors', 'pinecone']));
    const minimal = names(await runProgram());
    expect(minimal).toStrictEqual(purposes(['s3_vectors']));
    expect(names(deployed).filter((name) => !minimal.includes(name))).toStrictEqual([
      'upsert-to-pinecone',
    ]);
    const arriving = names(await runProgram({ config: { embed_on_arrival: 'true' } }));
    expect(arriving).toStrictEqual(purposes(['s3_vectors'], true));
    expect(arriving.filter((name) => !minimal.includes(name))).toStrictEqual([
      'note-arrivals',
      'start-arrivals',
    ]);
  });

  it('of each store has the same code, and what that store needs alone', async () => {
    const inputs = (name: string) => resource(deployed, FUNCTION, `upsert-to-${name}-function`);
    expect([
      await folderOf(inputs('s3-vectors')['code']),
      await folderOf(inputs('pinecone')['code']),
    ]).toStrictEqual(['bundles/upsert_to_store', 'bundles/upsert_to_store']);
    const common = {
      DYNAMODB_TABLE_NAME: TABLE,
      BATCH_BUCKET: 'receipt-embeddings-batch-bucket',
      EMBEDDING_MODEL: 'text-embedding-3-small',
      EMBEDDING_DIMENSIONS: '1536',
    };
    const all = environments(deployed);
    expect(all['upsert-to-s3-vectors']).toStrictEqual({
      ...common,
      VECTOR_STORES: 's3_vectors',
      S3_VECTORS_BUCKET_ARN: VECTOR_BUCKET,
      S3_VECTORS_INDEX_SUFFIX: SUFFIX,
    });
    expect(all['upsert-to-pinecone']).toStrictEqual({
      ...common,
      VECTOR_STORES: 'pinecone',
      PINECONE_INDEX_NAME: 'receipts',
      PINECONE_API_KEY_SECRET_ARN: secretArn('pinecone-api-key'),
    });
  });

  it('shares one layer, made for the same runtime and processor', async () => {
    const { code, ...inputs } = resource(
      deployed,
      'aws:lambda/layerVersion:LayerVersion',
      'receipt-embedding-layer-version',
    );
    expect(inputs).toStrictEqual({
      layerName: 'receipt-embedding-layer-dev',
      compatibleRuntimes: ['nodejs24.x'],
      compatibleArchitectures: ['arm64'],
    });
    expect(await folderOf(code)).toBe('bundles/layer');
  });
});

describe('the role', () => {
  it('of each function and workflow is assumed by its own service alone, and has its one policy', () => {
    const roles = Object.entries(resourcesOf(deployed, 'aws:iam/role:Role'));
    expect(roles).toHaveLength(
      stackFunctions({ vector_stores: ['s3_vectors', 'pinecone'], embed_on_arrival: false })
        .length + 3,
    );
    for (const [name, { name: roleName, assumeRolePolicy }] of roles) {
      const service = name.endsWith('-embedding-role')
        ? 'states.amazonaws.com'
        : 'lambda.amazonaws.com';
      expect(JSON.parse(assumeRolePolicy as string)).toStrictEqual({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: service }, Action: ['sts:AssumeRole'] },
        ],
      });
      expect(resource(deployed, POLICY, name.replace(/-role$/, '-policy'))['role']).toBe(roleName);
    }
  });

  it('is made from the declaration, with the function’s own log and its traces', () => {
    const { policy } = resource(deployed, POLICY, 'release-batch-policy');
    const table = `arn:aws:dynamodb:us-east-1:123456789012:table/${TABLE}`;
    const batches = 'arn:aws:s3:::receipt-embeddings-batch-bucket/batches/*';
    const allow = (Action: readonly string[], Resource: readonly string[]): object => ({
      Effect: 'Allow',
      Action,
      Resource,
    });
    expect(JSON.parse(policy as string)).toStrictEqual({
      Version: '2012-10-17',
      Statement: [
        allow(
          ['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:PartiQLUpdate'],
          [table],
        ),
        allow(['dynamodb:Query'], [`${table}/index/GSI3`]),
        allow(['s3:GetObject'], [`${batches}/plan.jsonl`, `${batches}/requests.jsonl`]),
        allow(['s3:PutObject'], [`${batches}/requests.jsonl`]),
        allow(['secretsmanager:GetSecretValue'], [secretArn('openai-api-key')]),
        allow(
          ['logs:CreateLogStream', 'logs:PutLogEvents'],
          [
            'arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/embedding-release-batch-lambda-dev:*',
          ],
        ),
        allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*']),
      ],
    });
  });

  it('leaves out a vendor that the stack does not have', async () => {
    const places = (of: RecordedDeployment): boolean =>
      JSON.stringify(resource(of, POLICY, 'process-receipt-realtime-policy')).includes(
        'google-places',
      );
    const withPlaces = await runProgram({
      secrets: { openai_api_key: OPENAI_KEY, google_places_api_key: PLACES_KEY },
    });
    expect([places(await runProgram()), places(withPlaces)]).toStrictEqual([false, true]);
  });

  interface Statement {
    readonly Action: readonly string[];
    readonly Resource: readonly string[];
  }
  const statementsOf = (of: RecordedDeployment, name: string): readonly Statement[] => {
    const { policy } = resource(of, POLICY, `${name}-policy`);
    return (JSON.parse(policy as string) as { readonly Statement: readonly Statement[] }).Statement;
  };

  it('may do with vectors what its function does with them, on the two indexes of the model', () => {
    const vectors = Object.keys(resourcesOf(deployed, POLICY)).flatMap((name) => {
      const purpose = name.replace(/-policy$/, '');
      return statementsOf(deployed, purpose)
        .filter(({ Action }) => Action.some((action) => action.startsWith('s3vectors:')))
        .map(({ Action, Resource }) => [purpose, Action.join(), Resource] as const);
    });
    expect(vectors.sort()).toStrictEqual([
      ['process-receipt-realtime', 's3vectors:PutVectors,s3vectors:DeleteVectors', INDEXES],
      ['search-receipts', 's3vectors:QueryVectors,s3vectors:GetVectors', INDEXES],
      // A batch's part removes nothing: what is gone is removed by realtime.
      ['upsert-to-s3-vectors', 's3vectors:PutVectors', INDEXES],
    ]);
  });

  it('may list the deltas’ bucket where its function must know that a delta is not there, and no other bucket', () => {
    const listing = Object.keys(resourcesOf(deployed, POLICY)).flatMap((name) => {
      const purpose = name.replace(/-policy$/, '');
      return statementsOf(deployed, purpose)
        .filter(({ Action }) => Action.includes('s3:ListBucket'))
        .map((statement) => [purpose, statement] as const);
    });
    // Without a condition on a prefix: with one, S3 answers 403 all the same.
    const statement = {
      Effect: 'Allow',
      Action: ['s3:ListBucket'],
      Resource: [`arn:aws:s3:::${BUCKET}`],
    };
    expect(listing.sort()).toStrictEqual([
      ['log-batch-results', statement],
      ['process-receipt-realtime', statement],
    ]);
  });

  it('of search reads vectors and embeds, nothing else', () => {
    expect(statementsOf(deployed, 'search-receipts').flatMap(({ Action }) => Action)).toStrictEqual(
      [
        's3vectors:QueryVectors',
        's3vectors:GetVectors',
        'secretsmanager:GetSecretValue',
        'secretsmanager:GetSecretValue',
        'logs:CreateLogStream',
        'logs:PutLogEvents',
        'xray:PutTraceSegments',
        'xray:PutTelemetryRecords',
      ],
    );
  });
});

describe('with every optional setting', () => {
  it('each function gets those that it reads, and no other', async () => {
    const before = environments(deployed);
    const settings: Record<string, string> = {
      OPENAI_BASE_URL: 'https://openai.example/v1',
      CHROMA_HTTP_ENDPOINT: 'https://chroma.example',
      EMBEDDING_MODEL: 'text-embedding-3-large',
      EMBEDDING_DIMENSIONS: '256',
      PINECONE_INDEX_NAME: 'our-index',
      PINECONE_HOST: 'https://our-index.svc.example',
      BATCH_MAX_TOKENS: '5000',
    };
    const places = { GOOGLE_PLACES_API_KEY_SECRET_ARN: secretArn('google-places-api-key') };
    /** Optional variables, and what a function reads that reads them. */
    const goesWith: Record<string, string> = {
      OPENAI_BASE_URL: 'OPENAI_API_KEY_SECRET_ARN',
      PINECONE_HOST: 'PINECONE_INDEX_NAME',
    };
    const other = await runProgram({
      config: Object.fromEntries(
        Object.entries(settings).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      secrets: {
        openai_api_key: OPENAI_KEY,
        pinecone_api_key: PINECONE_KEY,
        google_places_api_key: PLACES_KEY,
      },
    });
    const expected = Object.entries(before).map(([name, variables]) => {
      const read = Object.entries({ ...settings, ...places }).filter(
        ([variable]) =>
          (goesWith[variable] ?? variable) in variables ||
          (name === 'process-receipt-realtime' && /^(CHROMA|GOOGLE)/.test(variable)),
      );
      return [name, { ...variables, ...Object.fromEntries(read) }] as const;
    });
    expect(environments(other)).toStrictEqual(Object.fromEntries(expected));
  });
});
