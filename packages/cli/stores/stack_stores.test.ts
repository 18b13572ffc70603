import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { openFormerStore, openStackStores, type StackStoreClients } from './stack_stores.ts';

const BUCKET = 'arn:aws:s3vectors:eu-west-3:123456789012:bucket/receipts-1a2b';
const KEY_ARN = 'arn:aws:secretsmanager:eu-west-3:123456789012:secret:pinecone-5e6f';

const VARIABLES = {
  VECTOR_STORES: 's3_vectors,pinecone',
  EMBEDDING_MODEL: 'text-embedding-3-small',
  EMBEDDING_DIMENSIONS: '1536',
  OPENAI_API_KEY_SECRET_ARN: 'arn:aws:secretsmanager:eu-west-3:123456789012:secret:openai',
  S3_VECTORS_BUCKET_ARN: BUCKET,
  S3_VECTORS_INDEX_SUFFIX: '5e6f',
  PINECONE_INDEX_NAME: 'receipts',
  PINECONE_HOST: 'https://receipts-1a2b.svc.pinecone.io',
  PINECONE_API_KEY_SECRET_ARN: KEY_ARN,
};

describe("a stack's stores", () => {
  it('are opened as its function is configured, with the keys of stores alone', async () => {
    const asked: unknown[] = [];
    const send = (command: object) => {
      if (command instanceof GetFunctionConfigurationCommand) {
        asked.push(command.input);
        return Promise.resolve({ Environment: { Variables: VARIABLES } });
      }
      if (!(command instanceof GetSecretValueCommand)) throw new TypeError('what is this?');
      asked.push(command.input);
      return Promise.resolve({ SecretString: 'pcsk_1' });
    };
    const clients = { lambda: { send }, secrets: { send } } as unknown as StackStoreClients;

    const stores = await openStackStores({ search_function_name: 'search-dev' }, clients);

    expect(asked).toStrictEqual([{ FunctionName: 'search-dev' }, { SecretId: KEY_ARN }]);
    expect(
      stores.map(({ name, identity, dimensions }) => [name, identity, dimensions]),
    ).toStrictEqual([
      ['s3_vectors', `${BUCKET}/index/*-text-embedding-3-small-1536-5e6f`, 1_536],
      ['pinecone', 'receipts-1a2b.svc.pinecone.io/receipts', 1_536],
    ]);
  });

  it.each([
    [`${BUCKET}/index/*-text-embedding-3-small-1536-5e6f`, 1_536],
    [`${BUCKET}/index/*-text-embedding-ada-002-256-12345`, 256],
  ])(
    'that the stack does not have any more are opened by what they are: %s',
    async (identity, dimensions) => {
      const former = openFormerStore(identity);

      expect(former).toMatchObject({ name: 's3_vectors', identity, dimensions });
      expect(await (former?.store as { identity?: () => Promise<string> }).identity?.()).toBe(
        identity,
      );
    },
  );

  it.each(['receipts-1a2b.svc.pinecone.io/receipts', 'chroma.example/tenant/database/1,2', ''])(
    'are out of reach where that does not say enough: %j',
    (identity) => {
      expect(openFormerStore(identity)).toBeUndefined();
    },
  );
});
