import { at, listOf, mayBe, type Value } from './known_values.ts';
import { resourcePolicy } from './policy.ts';

const FUNCTION = 'aws:lambda/function:Function';
const LAYER = 'aws:lambda/layerVersion:LayerVersion';
const STATE_MACHINE = 'aws:sfn/stateMachine:StateMachine';

/** Runtimes that Lambda keeps patched and that run this code; the next one is added here. */
export const SUPPORTED_RUNTIMES: readonly string[] = ['nodejs24.x'];

/** arm64 costs a fifth less than x86_64 for the same memory and time. */
export const functionsOnArm64 = resourcePolicy(
  { name: 'functions-on-arm64', description: 'Functions and layers are made for arm64.' },
  [FUNCTION, LAYER],
  ({ type, name, properties }) =>
    type === FUNCTION
      ? only(properties['architectures'], ['arm64'])
        ? []
        : [`The function ${name} does not run on arm64: set architectures to ['arm64'].`]
      : only(properties['compatibleArchitectures'], ['arm64'])
        ? []
        : [`The layer ${name} is not made for arm64: set compatibleArchitectures to ['arm64'].`],
);

export const supportedRuntimes = resourcePolicy(
  {
    name: 'supported-runtimes',
    description: 'Functions and layers are for a runtime that is supported.',
  },
  [FUNCTION, LAYER],
  ({ type, name, properties }) => {
    const property = type === FUNCTION ? 'runtime' : 'compatibleRuntimes';
    return only(properties[property], SUPPORTED_RUNTIMES)
      ? []
      : [`${name} is for another runtime: set ${property} to ${SUPPORTED_RUNTIMES.join(' or ')}.`];
  },
);

/** A run that is slow or fails is looked at in X-Ray. */
export const everythingTraced = resourcePolicy(
  { name: 'everything-traced', description: 'Functions and state machines are traced.' },
  [FUNCTION, STATE_MACHINE],
  ({ type, name, properties }) => {
    if (type === FUNCTION) {
      return mayBe(at(properties, 'tracingConfig', 'mode'), 'Active')
        ? []
        : [`The function ${name} is not traced: set tracingConfig to { mode: 'Active' }.`];
    }
    return mayBe(at(properties, 'tracingConfiguration', 'enabled'), true)
      ? []
      : [`The state machine ${name} is not traced: set tracingConfiguration to { enabled: true }.`];
  },
);

/** Whether there is a value, and none beside these. */
function only(value: Value, allowed: readonly string[]): boolean {
  const values = listOf(value);
  return values.length > 0 && values.every((each) => allowed.some((one) => mayBe(each, one)));
}
