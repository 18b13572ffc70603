import { describe, expect, it } from 'vitest';
import {
  allowedName,
  LONGEST_STACK_NAME,
  NAME_RULES,
  NameRefused,
  stackName,
  stackNameProblem,
} from './names.ts';

describe('a name with the stack in it', () => {
  it("is the stem and the stack's name", () => {
    expect(stackName('function', 'embedding-x-lambda', 'dev')).toBe('embedding-x-lambda-dev');
  });

  it.each([
    ['function', 64],
    ['layer', 64],
    ['role', 64],
    ['schedule', 64],
    ['stateMachine', 80],
    ['topic', 256],
    ['secret', 512],
  ] as const)('of a %s may have %d characters, and not one more', (kind, limit) => {
    const stack = 's'.repeat(limit - 'stem-'.length);

    expect(NAME_RULES[kind].limit).toBe(limit);
    expect(stackName(kind, 'stem', stack)).toHaveLength(limit);
    expect(() => stackName(kind, 'stem', `${stack}s`)).toThrow(
      new NameRefused(
        `the name stem-${stack}s of a ${kind} has ${limit + 1} characters, and AWS allows ${limit}: ` +
          'choose a shorter name for the stack',
      ),
    );
  });

  it.each([
    ['function', 'v1.2', false],
    ['layer', 'v1.2', false],
    ['stateMachine', 'v1.2', false],
    ['topic', 'v1.2', false],
    ['dashboard', 'v1.2', false],
    ['role', 'v1.2', true],
    ['schedule', 'v1.2', true],
    ['schedule', 'a@b', false],
    ['secret', 'v1.2', true],
    ['logQuery', 'a:b', false],
    ['alarm', 'a b', true],
    ['alarm', 'a\n', false],
  ] as const)('of a %s ends with %j or not: %s', (kind, stack, allowed) => {
    const name = (): string => stackName(kind, 'stem', stack);
    if (allowed) expect(name()).toBe(`stem-${stack}`);
    else expect(name).toThrow(NameRefused);
  });

  it('may have its stack in the middle', () => {
    expect(allowedName('logQuery', 'receipt-embedding/dev/batch')).toBe(
      'receipt-embedding/dev/batch',
    );
  });
});

describe('the name of a stack', () => {
  it.each(['dev', 'PR_17', 'v1-2', '7', 's'.repeat(LONGEST_STACK_NAME)])('may be %s', (stack) => {
    expect(stackNameProblem(stack)).toBeUndefined();
  });

  it.each([
    ['v1.2', 'v1-2'],
    ['größe', 'gr-e'],
    ['a b', 'a-b'],
  ])('may not be %j, and %j would do', (stack, better) => {
    expect(stackNameProblem(stack)).toStrictEqual({
      problem:
        `the stack's name "${stack}" has characters that AWS refuses in the names of functions, topics and dashboards ` +
        '(allowed are letters, digits, `-` and `_`)',
      better,
    });
  });

  it('may not be longer than the names of functions have room for', () => {
    const longest = 's'.repeat(LONGEST_STACK_NAME);
    expect(stackNameProblem(`${longest}s`)).toStrictEqual({
      problem:
        `the stack's name "${longest}s" is too long: it may have 22 characters, ` +
        'since AWS allows 64 for the name of a function',
      better: longest,
    });
  });
});
