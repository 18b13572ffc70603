import { beforeAll, describe, expect, it } from 'vitest';
import {
  OPENAI_KEY,
  PINECONE_KEY,
  type RecordedDeployment,
  resource,
  resourcesOf,
  runProgram,
  WITH_BATCH_PATH,
} from './recorded_program.ts';

// Not proved here: that the variables are the ones that the code reads (tests/bundles does).

const FUNCTION = 'aws:lambda/function:Function';
const secretArn = (what: string): string =>
  `arn:aws:secretsmanager:us-east-1:123456789012:secret:receipt-embedding-${what}-dev-000000`;

const TABLE = { DYNAMODB_TABLE_NAME: 'receipt-embeddings-receipts-table' };
const BUCKET = { BATCH_BUCKET: 'receipt-embeddings-batch-bucket' };
const MODEL = { EMBEDDING_MODEL: 'text-embedding-3-small', EMBEDDING_DIMENSIONS: '1536' };
const OPENAI = { OPENAI_API_KEY_SECRET_ARN: secretArn('openai-api-key') };
const PINECONE = {
  PINECONE_API_KEY_SECRET_ARN: secretArn('pinecone-api-key'),
  PINECONE_INDEX_NAME: 'receipts',
};

/** Each function's memory and temporary folder (MB, 512 if none is given), and its environment. */
const FUNCTIONS: [string, number, number | undefined, Record<string, string>][] = [
  ['plan-batches', 2048, 1024, { ...TABLE, ...BUCKET, ...MODEL, BATCH_MAX_TOKENS: '3000000' }],
  ['submit-batch', 1024, 1024, { ...TABLE, ...BUCKET, ...MODEL, ...OPENAI }],
  ['summarize-batch-submit', 1024, undefined, {}],
  ['list-pending-batches', 1024, undefined, { ...TABLE, ...BUCKET }],
  ['get-batch-status', 1024, undefined, { ...TABLE, ...OPENAI }],
  [
    'download-batch-results',
    1024,
    2048,
    { ...TABLE, ...BUCKET, ...OPENAI, EMBEDDING_DIMENSIONS: MODEL.EMBEDDING_DIMENSIONS },
  ],
  ['upsert-to-pinecone', 1024, undefined, { ...TABLE, ...BUCKET, ...PINECONE }],
  ['write-results-to-dynamo', 1024, undefined, { ...TABLE, ...BUCKET }],
  ['mark-batch-complete', 1024, undefined, { ...TABLE, ...BUCKET }],
  ['release-batch', 1024, undefined, { ...TABLE, ...BUCKET, ...OPENAI }],
  ['record-batch-failure', 1024, undefined, { ...TABLE }],
  ['summarize-batch-poll', 1024, undefined, { EMBEDDING_MODEL: MODEL.EMBEDDING_MODEL }],
];

/** The environments of the batch path's functions, by the function. */
function environments(deployed: RecordedDeployment): Record<string, unknown> {
  return Object.fromEntries(
    FUNCTIONS.map(([name]) => {
      const { environment } = resource(deployed, FUNCTION, `${name}-function`);
      return [name, (environment as { variables: unknown }).variables];
    }),
  );
}

let deployed: RecordedDeployment;

beforeAll(async () => {
  deployed = await runProgram(WITH_BATCH_PATH);
});

describe('a function of the batch path', () => {
  it.each(FUNCTIONS)(
    '%s is set up as designed, with the variables it reads and no others',
    async (name, memorySize, ephemeralStorage, variables) => {
      const { code, tags, ...inputs } = resource(deployed, FUNCTION, `${name}-function`);

      expect(inputs).toStrictEqual({
        name: `embedding-${name}-lambda-dev`,
        runtime: 'nodejs24.x',
        architectures: ['arm64'],
        handler: 'handler.handler',
        layers: ['arn:aws:lambda:us-east-1:123456789012:layer:receipt-embedding-layer-dev:1'],
        role: `arn:aws:iam::123456789012:role/embedding-${name}-role-dev`,
        memorySize,
        ...(ephemeralStorage === undefined ? {} : { ephemeralStorage: { size: ephemeralStorage } }),
        timeout: 900,
        environment: { variables },
        tracingConfig: { mode: 'Active' },
        loggingConfig: { logFormat: 'JSON', logGroup: `/aws/lambda/embedding-${name}-lambda-dev` },
      });
      expect(await (code as { path: Promise<string> }).path).toBe(
        `bundles/${name.replaceAll('-', '_')}`,
      );
      expect(tags).toBeDefined();
    },
  );

  it('is one of these twelve', () => {
    const names = Object.keys(resourcesOf(deployed, FUNCTION)).filter(
      (name) => !name.includes('realtime'),
    );
    expect(names.sort()).toStrictEqual(FUNCTIONS.map(([name]) => `${name}-function`).sort());
  });
});

describe('with every optional setting', () => {
  it('each function gets those that it reads, and no other', async () => {
    const other = await runProgram({
      config: {
        openai_base_url: 'https://openai.example/v1',
        chroma_http_endpoint: 'https://chroma.example',
        embedding_model: 'text-embedding-3-large',
        embedding_dimensions: '256',
        pinecone_index_name: 'our-index',
        pinecone_host: 'https://our-index.svc.example',
        batch_bucket_name: 'our-batches',
        batch_max_tokens: '5000',
      },
      secrets: {
        openai_api_key: OPENAI_KEY,
        pinecone_api_key: PINECONE_KEY,
        google_places_api_key: 'places',
      },
    });

    const replaced: Record<string, string> = {
      OPENAI_BASE_URL: 'https://openai.example/v1',
      EMBEDDING_MODEL: 'text-embedding-3-large',
      EMBEDDING_DIMENSIONS: '256',
      PINECONE_INDEX_NAME: 'our-index',
      PINECONE_HOST: 'https://our-index.svc.example',
      BATCH_BUCKET: 'our-batches',
      BATCH_MAX_TOKENS: '5000',
    };
    const goesWith: Record<string, string> = {
      OPENAI_BASE_URL: 'OPENAI_API_KEY_SECRET_ARN',
      PINECONE_HOST: 'PINECONE_INDEX_NAME',
    };
    const expected = FUNCTIONS.map(([name, , , variables]): [string, object] => {
      const changes = Object.entries(replaced).filter(
        ([variable]) => (goesWith[variable] ?? variable) in variables,
      );
      return [name, { ...variables, ...Object.fromEntries(changes) }];
    });
    expect(environments(other)).toStrictEqual(Object.fromEntries(expected));
  });
});
