import { describe, expect, expectTypeOf, it } from 'vitest';
import { without } from '../../tests/support/without.ts';
import { declareFunction, VENDORS } from './declaration.ts';
import { readEnvironment } from './environment.ts';

const declaration = declareFunction({
  name: 'test',
  description: '',
  memory_mb: 512,
  table: { rows: ['GetItem'] },
  objects: { batch: { GetObject: ['a'] } },
  objects_of_event: { chromadb: { GetObject: ['b'] } },
  vendors: ['pinecone', 'openai'],
  optional_vendors: ['chroma'],
  variables: ['EMBEDDING_DIMENSIONS'],
});

const right = {
  DYNAMODB_TABLE_NAME: 'receipts',
  BATCH_BUCKET: 'batches',
  EMBEDDING_DIMENSIONS: '1536',
  PINECONE_INDEX_NAME: 'receipts',
  OPENAI_BASE_URL: 'http://127.0.0.1:8080/v1',
};

/** What is wrong with an environment; undefined when nothing is. */
function problem(environment: Readonly<Record<string, string | undefined>>): unknown {
  try {
    readEnvironment(declaration, environment);
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('the environment of a function', () => {
  it('is what its declaration brings and nothing else, numbers as numbers', () => {
    const secrets = { OPENAI_API_KEY: 'sk-1', PINECONE_API_KEY_SECRET_ARN: 'arn' };
    const environment = readEnvironment(declaration, {
      ...right,
      ...secrets,
      PATH: '/bin',
      CHROMADB_BUCKET: 'of the event',
      GOOGLE_PLACES_API_KEY: 'of another vendor',
    });

    expect(environment).toStrictEqual({ ...right, ...secrets, EMBEDDING_DIMENSIONS: 1536 });
    expectTypeOf(environment.EMBEDDING_DIMENSIONS).toEqualTypeOf<number>();
    expectTypeOf(environment.PINECONE_INDEX_NAME).toEqualTypeOf<string>();
    expectTypeOf(environment.OPENAI_API_KEY).toEqualTypeOf<string | undefined>();
    expectTypeOf(environment.CHROMA_HTTP_ENDPOINT).toEqualTypeOf<string | undefined>();
  });

  it('takes an empty variable for a missing one', () => {
    expect(
      readEnvironment(declaration, { ...right, OPENAI_API_KEY: '', OPENAI_BASE_URL: '' }),
    ).toStrictEqual({ ...without(right, 'OPENAI_BASE_URL'), EMBEDDING_DIMENSIONS: 1536 });
    expect(problem({ ...right, DYNAMODB_TABLE_NAME: '' })).toMatchObject({
      name: 'InvalidConfiguration',
    });
  });

  it('has all its problems reported at once, by name and never by value', () => {
    const error = problem({ EMBEDDING_DIMENSIONS: 'sk-secret', OPENAI_BASE_URL: 'sk-secret' });

    expect(error).toMatchObject({ name: 'InvalidConfiguration' });
    const { message } = error as Error;
    expect(message.match(/[A-Z]+(?:_[A-Z]+)+/g)).toStrictEqual([
      'DYNAMODB_TABLE_NAME',
      'BATCH_BUCKET',
      'EMBEDDING_DIMENSIONS',
      'PINECONE_INDEX_NAME',
      'OPENAI_BASE_URL',
    ]);
    expect(message).not.toContain('sk-secret');
  });

  it.each(['0', '-1', '1.5', 'many', ' '])('is refused with %j dimensions', (dimensions) => {
    expect(problem({ ...right, EMBEDDING_DIMENSIONS: dimensions })).toMatchObject({
      name: 'InvalidConfiguration',
    });
  });
});

describe('an address in the environment', () => {
  const addresses = Object.values(VENDORS).flatMap((vendor) =>
    'address' in vendor ? [vendor.address] : [],
  );

  it('may be http to this machine alone, whichever vendor’s it is', () => {
    expect(addresses).toHaveLength(3);
    const wrong = addresses.filter((name) => {
      const at = (url: string) =>
        problem({ ...right, CHROMA_HTTP_ENDPOINT: 'https://c.example', [name]: url });
      return at('http://10.0.0.1:8000') === undefined || at('http://127.0.0.1:8000') !== undefined;
    });
    expect(wrong).toStrictEqual([]);
  });
});
