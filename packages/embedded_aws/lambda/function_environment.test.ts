import { describe, expect, it } from 'vitest';
import { answerOf, startLambda } from './testing/lambda_fixture.ts';

// Not proved here: how long AWS takes to notice each of these ends, and its limits of CPU and disk.

describe('a handler', () => {
  it('gets the event, and its answer is the result', async () => {
    const { create, invoke } = await startLambda();
    const work = await create('export const handler = async ({ a, b }) => ({ sum: a + b });');

    const { payload, error } = await invoke(work, { a: 1, b: 2 });

    expect([payload, error]).toStrictEqual(['{"sum":3}', undefined]);
  });

  it('answers null when it returns nothing', async () => {
    const { create, invoke } = await startLambda();
    const work = await create('export const handler = async () => {};');
    expect((await invoke(work)).payload).toBe('null');
  });

  it('learns from its context who it is and how long it has', async () => {
    const { create, invoke } = await startLambda();
    const work = await create(
      `export const handler = (event, context) => {
        const left = context.getRemainingTimeInMillis();
        return { ...context, awsRequestId: typeof context.awsRequestId, inTime: left > 0 && left <= 30_000 };
      };`,
    );

    expect(answerOf(await invoke(work))).toStrictEqual({
      awsRequestId: 'string',
      functionName: 'work',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:work',
      memoryLimitInMB: '128',
      inTime: true,
    });
  });
});

describe('a handler that fails', () => {
  it('gives the name and the message of the error that it throws, and where', async () => {
    const { create, invoke } = await startLambda();
    const work = await create(
      `class RateLimited extends Error { name = 'RateLimited'; }
      export const handler = async () => { throw new RateLimited('too many requests'); };`,
    );

    const { payload, error } = await invoke(work);

    expect(payload).toBeUndefined();
    expect(error).toStrictEqual({
      errorType: 'RateLimited',
      errorMessage: 'too many requests',
      trace: expect.any(Array) as unknown,
    });
    expect(error?.trace?.[0]).toBe('RateLimited: too many requests');
    expect(error?.trace?.[1]).toMatch(/^ {4}at .*handler\.mjs:2:\d+\)?$/);
  });

  it.each([
    ["'a text'", 'string', 'a text'],
    ['42', 'number', '42'],
    ['undefined', 'undefined', 'undefined'],
  ])('gives the type of what it throws when that is no error: %s', async (thrown, type, text) => {
    const { create, invoke } = await startLambda();
    const work = await create(`export const handler = async () => { throw ${thrown}; };`);
    expect((await invoke(work)).error).toStrictEqual({
      errorType: type,
      errorMessage: text,
      trace: [],
    });
  });

  it('serves the next event in the same environment', async () => {
    const { create, invoke } = await startLambda();
    const work = await create(
      `let calls = 0;
      export const handler = async () => {
        calls += 1;
        if (calls === 1) throw new Error('once');
        return calls;
      };`,
    );

    expect((await invoke(work)).error?.errorMessage).toBe('once');
    expect(answerOf(await invoke(work))).toBe(2);
  });
});

describe('a function that can not be loaded', () => {
  it.each([
    [
      'a package that is not there',
      "import 'no-such-package'; export const handler = () => 1;",
      'Error',
      /^Cannot find package 'no-such-package' imported from /,
    ],
    [
      'what its module throws',
      "throw new RangeError('no settings');",
      'RangeError',
      /^no settings$/,
    ],
    ['what is no JavaScript', 'export const handler = (', 'SyntaxError', /^Unexpected/],
    [
      'the lack of its export',
      'export const other = () => 1;',
      'Runtime.HandlerNotFound',
      /^handler is undefined or not exported$/,
    ],
    [
      'an export that is no function',
      'export const handler = 1;',
      'Runtime.HandlerNotFound',
      /^handler is undefined or not exported$/,
    ],
    [
      'an exit while it loads',
      'process.exit(3); export const handler = () => 1;',
      'Runtime.ExitError',
      /^Error: Runtime exited with error: exit/,
    ],
  ])('fails each invocation with %s', async (_, source, errorType, message) => {
    const { standIn, create, invoke } = await startLambda();
    const work = await create(source);

    const errors = [(await invoke(work)).error, (await invoke(work)).error];

    expect(errors.map((error) => error?.errorType)).toStrictEqual([errorType, errorType]);
    expect(errors[0]?.errorMessage).toMatch(message);
    expect(standIn.environments).toBe(0);
  });
});

describe("a function's environment variables", () => {
  it('are its own and those of Lambda’s runtime, and none of this process', async () => {
    const { folder, create, invoke } = await startLambda();
    const source = 'export const handler = () => process.env;';
    const work = await create(source, { environment: { TABLE: 'rows', EMPTY: '' } });
    process.env['SECRET_OF_THIS_MACHINE'] = 'visible';

    const variables = answerOf(await invoke(work)) as Record<string, string>;

    delete process.env['SECRET_OF_THIS_MACHINE'];
    const { AWS_ACCESS_KEY_ID: key, ...others } = variables;
    expect(key).toMatch(/^ASIA[0-9A-F]{16}$/);
    expect(others).toStrictEqual({
      TABLE: 'rows',
      EMPTY: '',
      AWS_REGION: 'eu-central-1',
      AWS_DEFAULT_REGION: 'eu-central-1',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_SESSION_TOKEN: 'local',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_CONFIG_FILE: `${folder}/no-config`,
      AWS_SHARED_CREDENTIALS_FILE: `${folder}/no-credentials`,
      TMPDIR: folder,
      AWS_LAMBDA_FUNCTION_NAME: 'work',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      TZ: ':UTC',
    });
  });
});

/** Fails in the way that the event names, else answers how many events this environment has seen. */
const FRAGILE = `
  let events = 0;
  const never = () => new Promise(() => setInterval(() => undefined, 1_000));
  export const handler = async ({ how }) => {
    events += 1;
    switch (how) {
      case 'hang': return await never();
      case 'spin': for (;;);
      case 'exit': return process.exit(7);
      case 'throw later': setImmediate(() => { throw new Error('nobody catches this'); }); return await never();
      case 'reject later': setImmediate(() => Promise.reject(new Error('nobody catches this'))); return await never();
      case 'eat': { const eaten = []; for (;;) eaten.push(Array.from({ length: 10_000 }, () => ({ eaten }))); }
      default: return events;
    }
  };`;

describe('an environment that ends', () => {
  const TIMED_OUT = /^RequestId: [-0-9a-f]{36} Error: Task timed out after 0\.30 seconds$/;
  const EXITED = 'Runtime.ExitError';

  it.each([
    ['waits longer than its timeout', 'hang', 0.3, 'Sandbox.Timedout', TIMED_OUT],
    ['never gives way', 'spin', 0.3, 'Sandbox.Timedout', TIMED_OUT],
    ['exits', 'exit', 30, EXITED, /^Error: Runtime exited with error: exit status 7$/],
    ['lets an error go', 'throw later', 30, EXITED, /^Error: Runtime exited with error: unhandled/],
    ['lets a rejection go', 'reject later', 30, EXITED, /^Error: Runtime exited with error: unh/],
    ['takes more memory than it has', 'eat', 60, 'Runtime.OutOfMemory', /out of memory$/],
  ])('because the function %s is an error, and the next event gets a fresh one', async (...row) => {
    const [, how, timeout, errorType, message] = row;
    const { standIn, create, invoke } = await startLambda();
    const work = await create(FRAGILE, { timeout, memorySize: 64 });
    const patient = { ...work, timeout: 60 };
    expect(answerOf(await invoke(patient))).toBe(1);
    expect(answerOf(await invoke(patient))).toBe(2);

    const { error } = await invoke(work, { how });

    expect(error?.errorType).toBe(errorType);
    expect(error?.errorMessage).toMatch(message);
    expect(standIn.environments).toBe(0);
    expect(answerOf(await invoke(patient))).toBe(1);
    expect(standIn.environments).toBe(1);
  });

  it('because its handler never gets loaded is a timeout', async () => {
    const { standIn, create, invoke } = await startLambda();
    const work = await create(
      'setInterval(() => undefined, 1_000); await new Promise(() => {}); export const handler = () => 1;',
      { timeout: 0.3 },
    );

    const { error } = await invoke(work);

    expect(error?.errorType).toBe('Sandbox.Timedout');
    expect(standIn.environments).toBe(0);
  });
});
