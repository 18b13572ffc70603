import * as pulumi from '@pulumi/pulumi';
import type { RegisterResourceRequest } from '@pulumi/pulumi/proto/resource_pb.js';
import { MockMonitor } from '@pulumi/pulumi/runtime/mocks.js';
import { vi } from 'vitest';

/** A resource as Pulumi's engine is asked to register it; the mocks themselves tell less. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  /** `type::name` of its parent; undefined right under the stack. */
  readonly parent: string | undefined;
  /** As they go over the wire: secrets are marked, and not unwrapped. */
  readonly wireInputs: Readonly<Record<string, unknown>>;
  readonly protect: boolean;
  /** `type::name` of each resource that has to be there first. */
  readonly dependencies: readonly string[];
  /** `type::name` of the resources that an input comes from, by the input's name. */
  readonly inputDependencies: Readonly<Record<string, readonly string[]>>;
}

export interface Recorded<Result> {
  readonly result: Result;
  readonly registrations: readonly Registration[];
  /** What the program tells whoever deploys it. */
  readonly messages: readonly string[];
}

/** Pulumi takes a stack trace of every promise; as long as Vitest likes them, that is half of a test's time. */
const STACK_TRACE_LIMIT = 5;

/**
 * Runs something that registers resources under Pulumi's mocks, and waits for all of them.
 *
 * @param onRegistration sees what is registered before a failure.
 */
export async function recordRegistrations<Result>(
  run: () => Result | Promise<Result>,
  onRegistration: (registration: Registration) => void = () => undefined,
): Promise<Recorded<Result>> {
  const registrations: Registration[] = [];
  const messages: string[] = [];
  const inform = vi.spyOn(pulumi.log, 'info').mockImplementation((message) => {
    messages.push(message);
    return Promise.resolve();
  });
  const register = vi.spyOn(MockMonitor.prototype, 'registerResource').mockImplementation(function (
    this: MockMonitor,
    request: RegisterResourceRequest,
    callback,
  ) {
    const registered = registration(request);
    registrations.push(registered);
    onRegistration(registered);
    return original.call(this, request, callback);
  });
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = STACK_TRACE_LIMIT;
  try {
    const result = await run();
    await pulumi.runtime.waitForRPCs();
    return { result, registrations, messages };
  } catch (error) {
    // What a failed program had begun to register must not end up in the next one.
    await pulumi.runtime.waitForRPCs();
    throw error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    register.mockRestore();
    inform.mockRestore();
  }
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` above
const original = MockMonitor.prototype.registerResource;

function registration(request: RegisterResourceRequest): Registration {
  return {
    type: request.getType(),
    name: request.getName(),
    parent: typeAndName(request.getParent()),
    wireInputs: request.getObject()?.toJavaScript() ?? {},
    protect: request.getProtect() === true,
    dependencies: request.getDependenciesList().map((urn) => typeAndName(urn) ?? ''),
    inputDependencies: Object.fromEntries(
      [...request.getPropertydependenciesMap().entries()].map(([input, from]) => [
        input,
        from.getUrnsList().map((urn) => typeAndName(urn) ?? ''),
      ]),
    ),
  };
}

/** `urn:pulumi:{stack}::{project}::{parent types}${type}::{name}` without all that says where it is. */
function typeAndName(urn: string): string | undefined {
  const [, , types = '', name = ''] = urn.split('::');
  return urn === '' ? undefined : `${types.split('$').at(-1) ?? ''}::${name}`;
}
