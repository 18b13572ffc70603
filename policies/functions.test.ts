import { describe, expect, it } from 'vitest';
import { NOT_KNOWN_YET, verdict } from '../tests/support/policy_verdict.ts';
import { everythingTraced, functionsOnArm64, supportedRuntimes } from './functions.ts';

// Not proved here: that Lambda offers the runtime.

const FUNCTION = 'aws:lambda/function:Function';
const LAYER = 'aws:lambda/layerVersion:LayerVersion';
const MACHINE = 'aws:sfn/stateMachine:StateMachine';

describe('functions-on-arm64', () => {
  it.each([['arm64'], [NOT_KNOWN_YET]])('is content with %s', (architecture) => {
    const list = [architecture];
    expect(verdict(functionsOnArm64, FUNCTION, { architectures: list })).toStrictEqual([]);
    expect(verdict(functionsOnArm64, LAYER, { compatibleArchitectures: list })).toStrictEqual([]);
  });

  it.each([[undefined], [[]], [['x86_64']], [['arm64', 'x86_64']]])('is not with %j', (list) => {
    expect(verdict(functionsOnArm64, FUNCTION, { architectures: list })).toStrictEqual([
      "The function it does not run on arm64: set architectures to ['arm64'].",
    ]);
    expect(verdict(functionsOnArm64, LAYER, { compatibleArchitectures: list })).toStrictEqual([
      "The layer it is not made for arm64: set compatibleArchitectures to ['arm64'].",
    ]);
  });
});

describe('supported-runtimes', () => {
  it.each(['nodejs24.x', NOT_KNOWN_YET])('is content with %s', (runtime) => {
    expect(verdict(supportedRuntimes, FUNCTION, { runtime })).toStrictEqual([]);
    expect(verdict(supportedRuntimes, LAYER, { compatibleRuntimes: [runtime] })).toStrictEqual([]);
  });

  it.each(['nodejs20.x', 'python3.13'])('is not with %s', (runtime) => {
    expect(verdict(supportedRuntimes, FUNCTION, { runtime })).toStrictEqual([
      'it is for another runtime: set runtime to nodejs24.x.',
    ]);
    expect(
      verdict(supportedRuntimes, LAYER, { compatibleRuntimes: ['nodejs24.x', runtime] }),
    ).toStrictEqual(['it is for another runtime: set compatibleRuntimes to nodejs24.x.']);
  });

  it('is not without one', () => {
    expect(verdict(supportedRuntimes, FUNCTION, {})).toHaveLength(1);
    expect(verdict(supportedRuntimes, LAYER, {})).toHaveLength(1);
  });
});

describe('everything-traced', () => {
  it('is content with a function or state machine that is traced', () => {
    const judge = (tracingConfig: unknown): string[] =>
      verdict(everythingTraced, FUNCTION, { tracingConfig });
    expect(judge({ mode: 'Active' })).toStrictEqual([]);
    expect(judge({ mode: NOT_KNOWN_YET })).toStrictEqual([]);
    expect(judge(NOT_KNOWN_YET)).toStrictEqual([]);
    expect(
      verdict(everythingTraced, MACHINE, { tracingConfiguration: { enabled: true } }),
    ).toStrictEqual([]);
  });

  it('says what to do with one that is not', () => {
    const message = "The function it is not traced: set tracingConfig to { mode: 'Active' }.";
    expect(verdict(everythingTraced, FUNCTION, {})).toStrictEqual([message]);
    expect(
      verdict(everythingTraced, FUNCTION, { tracingConfig: { mode: 'PassThrough' } }),
    ).toStrictEqual([message]);
    expect(verdict(everythingTraced, MACHINE, {})).toStrictEqual([
      'The state machine it is not traced: set tracingConfiguration to { enabled: true }.',
    ]);
  });
});
