import { describe, expect, it } from 'vitest';
import { parseEnvironment, variables } from './environment.ts';

const right = {
  DYNAMODB_TABLE_NAME: 'receipts',
  EMBEDDING_DIMENSIONS: '1536',
  OPENAI_BASE_URL: 'http://127.0.0.1:8080/v1',
};

const shape = {
  DYNAMODB_TABLE_NAME: variables.DYNAMODB_TABLE_NAME,
  EMBEDDING_DIMENSIONS: variables.EMBEDDING_DIMENSIONS,
  OPENAI_BASE_URL: variables.OPENAI_BASE_URL,
  OPENAI_API_KEY: variables.OPENAI_API_KEY,
};

/** What is wrong with an environment; undefined when nothing is. */
function problem(environment: Readonly<Record<string, string | undefined>>): unknown {
  try {
    parseEnvironment(shape, environment);
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('the environment of a function', () => {
  it('is read by its own names alone, numbers as numbers', () => {
    expect(parseEnvironment(shape, { ...right, PATH: '/bin' })).toStrictEqual({
      DYNAMODB_TABLE_NAME: 'receipts',
      EMBEDDING_DIMENSIONS: 1536,
      OPENAI_BASE_URL: 'http://127.0.0.1:8080/v1',
    });
  });

  it('takes an empty variable for a missing one', () => {
    expect(
      parseEnvironment(shape, { ...right, OPENAI_API_KEY: '', OPENAI_BASE_URL: '' }),
    ).toStrictEqual({ DYNAMODB_TABLE_NAME: 'receipts', EMBEDDING_DIMENSIONS: 1536 });
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
      'EMBEDDING_DIMENSIONS',
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
