import { describe, expect, it } from 'vitest';
import { NAME_LIMITS, NameTooLong, stackName } from './names.ts';

describe('a name with the stack in it', () => {
  it("is the stem and the stack's name", () => {
    expect(stackName('function', 'embedding-x-lambda', 'dev')).toBe('embedding-x-lambda-dev');
  });

  it.each([
    ['function', 64],
    ['role', 64],
    ['schedule', 64],
    ['stateMachine', 80],
  ] as const)('of a %s may have %d characters, and not one more', (kind, limit) => {
    const stack = 's'.repeat(limit - 'stem-'.length);

    expect(NAME_LIMITS[kind]).toBe(limit);
    expect(stackName(kind, 'stem', stack)).toHaveLength(limit);
    expect(() => stackName(kind, 'stem', `${stack}s`)).toThrow(
      new NameTooLong(
        `the stack's name "${stack}s" is too long: the name of the ${kind} stem has room for ` +
          `${limit - 5} characters of it (AWS allows ${limit}); choose a shorter one`,
      ),
    );
  });
});
