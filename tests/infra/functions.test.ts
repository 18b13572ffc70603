import { asset } from '@pulumi/pulumi';
import { beforeAll, describe, expect, it } from 'vitest';
import { without } from '../support/without.ts';
import {
  OPENAI_KEY,
  PLACES_KEY,
  type RecordedDeployment,
  resource,
  resourcesOf,
  runProgram,
} from './recorded_program.ts';

// Not proved here: that AWS offers this runtime, and that the variables are the ones that the code reads (tests/bundles does).

const FUNCTION = 'aws:lambda/function:Function';
const TABLE = 'receipt-embeddings-receipts-table';
const BUCKET = 'receipt-embeddings-chromadb-bucket';
const secretArn = (what: string): string =>
  `arn:aws:secretsmanager:us-east-1:123456789012:secret:receipt-embedding-${what}-dev-000000`;

/** An archive's folder, as it was given. */
function folderOf(archive: unknown): Promise<string> {
  if (!(archive instanceof asset.FileArchive)) throw new TypeError('expected a folder');
  return archive.path;
}

describe('a function', () => {
  let deployed: RecordedDeployment;

  beforeAll(async () => {
    deployed = await runProgram();
  });

  it.each([
    {
      name: 'find-receipts-realtime',
      folder: 'find_receipts_realtime',
      memorySize: 1024,
      variables: { CHROMADB_BUCKET: BUCKET, DYNAMODB_TABLE_NAME: TABLE },
    },
    {
      name: 'process-receipt-realtime',
      folder: 'process_receipt_realtime',
      memorySize: 2048,
      variables: {
        CHROMADB_BUCKET: BUCKET,
        DYNAMODB_TABLE_NAME: TABLE,
        EMBEDDING_DIMENSIONS: '1536',
        EMBEDDING_MODEL: 'text-embedding-3-small',
        OPENAI_API_KEY_SECRET_ARN: secretArn('openai-api-key'),
      },
    },
    {
      name: 'summarize-realtime-run',
      folder: 'summarize_realtime_run',
      memorySize: 1024,
      variables: { EMBEDDING_MODEL: 'text-embedding-3-small' },
    },
  ])('$name is set up as designed, with the variables it reads and no others', async (expected) => {
    const { name, folder, memorySize, variables } = expected;
    const { code, ...inputs } = without(resource(deployed, FUNCTION, `${name}-function`), 'tags');

    expect(inputs).toStrictEqual({
      name: `embedding-${name}-lambda-dev`,
      runtime: 'nodejs24.x',
      architectures: ['arm64'],
      handler: 'handler.handler',
      layers: ['arn:aws:lambda:us-east-1:123456789012:layer:receipt-embedding-layer-dev:1'],
      role: `arn:aws:iam::123456789012:role/embedding-${name}-role-dev`,
      memorySize,
      timeout: 900,
      environment: { variables },
      tracingConfig: { mode: 'Active' },
      loggingConfig: { logFormat: 'JSON', logGroup: `/aws/lambda/embedding-${name}-lambda-dev` },
    });
    expect(await folderOf(code)).toBe(`bundles/${folder}`);
  });

  it('there are these three, and no other', () => {
    expect(Object.keys(resourcesOf(deployed, FUNCTION)).sort()).toStrictEqual([
      'find-receipts-realtime-function',
      'process-receipt-realtime-function',
      'summarize-realtime-run-function',
    ]);
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

describe('with every optional setting', () => {
  it('process_receipt_realtime gets all of them, and the other functions none', async () => {
    const deployed = await runProgram({
      config: {
        openai_base_url: 'https://openai.example/v1',
        chroma_http_endpoint: 'https://chroma.example',
        embedding_model: 'text-embedding-3-large',
        embedding_dimensions: '256',
      },
      secrets: { openai_api_key: OPENAI_KEY, google_places_api_key: PLACES_KEY },
    });
    const environments = Object.entries(resourcesOf(deployed, FUNCTION)).map(
      ([name, { environment }]): [string, unknown] => [name, environment],
    );

    expect(Object.fromEntries(environments)).toStrictEqual({
      'find-receipts-realtime-function': {
        variables: { CHROMADB_BUCKET: BUCKET, DYNAMODB_TABLE_NAME: TABLE },
      },
      'process-receipt-realtime-function': {
        variables: {
          CHROMADB_BUCKET: BUCKET,
          CHROMA_HTTP_ENDPOINT: 'https://chroma.example',
          DYNAMODB_TABLE_NAME: TABLE,
          EMBEDDING_DIMENSIONS: '256',
          EMBEDDING_MODEL: 'text-embedding-3-large',
          GOOGLE_PLACES_API_KEY_SECRET_ARN: secretArn('google-places-api-key'),
          OPENAI_API_KEY_SECRET_ARN: secretArn('openai-api-key'),
          OPENAI_BASE_URL: 'https://openai.example/v1',
        },
      },
      'summarize-realtime-run-function': {
        variables: { EMBEDDING_MODEL: 'text-embedding-3-large' },
      },
    });
  });
});
