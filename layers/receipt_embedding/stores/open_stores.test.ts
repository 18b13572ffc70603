import { describe, expect, it } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { openStores, STORES } from './open_stores.ts';
import type { StoreDeclaration, StoreName } from './vector_store.ts';

const model = { model: 'text-embedding-3-small', dimensions: 1_536 };

const environment = {
  S3_VECTORS_BUCKET_ARN: 'arn:aws:s3vectors:us-east-1:000000000000:bucket/receipts',
  PINECONE_INDEX_NAME: 'receipts',
  PINECONE_HOST: 'https://receipts-1a2b.svc.pinecone.io',
  CHROMA_HTTP_ENDPOINT: 'https://chroma.example.com',
};

/** Opens stores; what they asked a key for is noted. */
function open(names: readonly StoreName[], changes: object = {}, key: string | undefined = 'k-1') {
  const asked: StoreName[] = [];
  const secretOf = (name: StoreName) => {
    asked.push(name);
    return Promise.resolve(key);
  };
  const opened = openStores(names, {
    environment: { ...environment, ...changes },
    model,
    secretOf,
  });
  return { opened, asked };
}

describe('the stores of a stack', () => {
  it('are opened in the order in which they are listed, and only those', async () => {
    const { opened, asked } = open(['chroma', 's3_vectors']);

    expect((await opened).map(({ name }) => name)).toStrictEqual(['chroma', 's3_vectors']);
    expect(asked).toStrictEqual(['chroma']);
    expect(await open([]).opened).toStrictEqual([]);
  });

  it('are those that their settings name', async () => {
    const [s3, pinecone] = await open(['s3_vectors', 'pinecone']).opened;

    expect(await s3?.identity()).toBe(
      `${environment.S3_VECTORS_BUCKET_ARN}/index/*-text-embedding-3-small-1536`,
    );
    expect(await pinecone?.identity()).toBe('receipts-1a2b.svc.pinecone.io/receipts');
  });

  it.each<[StoreName, string]>([
    ['s3_vectors', 'S3_VECTORS_BUCKET_ARN'],
    ['pinecone', 'PINECONE_INDEX_NAME'],
    ['chroma', 'CHROMA_HTTP_ENDPOINT'],
  ])(
    'that are listed without their settings are a wrong configuration: %s',
    async (name, variable) => {
      const { opened } = open([name], { [variable]: undefined });

      expect(await rejection(opened)).toMatchObject({
        name: 'InvalidConfiguration',
        message: expect.stringMatching(
          new RegExp(`^the store ${name} is listed in vector_stores, but .*${variable}`),
        ) as string,
      });
    },
  );

  it('need a key only where the store can not do without', async () => {
    const none = (name: StoreName) =>
      openStores([name], { environment, model, secretOf: () => Promise.resolve(undefined) });

    expect((await none('chroma')).length).toBe(1);
    expect((await rejection(none('pinecone'))).message).toBe(
      'the store pinecone is listed in vector_stores, but its key is not set',
    );
  });
});

describe('what a store declares', () => {
  it.each(Object.entries<StoreDeclaration>(STORES))(
    'names its address and key among what its functions get: %s',
    (_, { address, variables, optional_variables, vector_actions = {} }) => {
      const names = Object.keys({ ...variables, ...optional_variables });
      if (address !== undefined) expect(names).toContain(address);
      for (const action of Object.values(vector_actions).flat()) {
        expect(action).toMatch(/^s3vectors:[A-Z][A-Za-z]+Vectors$/);
      }
    },
  );
});
