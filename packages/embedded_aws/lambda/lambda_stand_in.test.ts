import {
  InvokeCommand,
  type InvokeCommandInput,
  type InvokeCommandOutput,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { describe, expect, it, onTestFinished } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { serve } from '../http/server.ts';
import { PAYLOAD_LIMIT } from './lambda_stand_in.ts';
import { answerOf, type LambdaFixture, startLambda } from './testing/lambda_fixture.ts';

describe('lambda stand in', () => {
  /** Answers which environment it is, and how many events that has seen. */
  const COUNTING = `
  import { randomUUID } from 'node:crypto';
  const id = randomUUID();
  let events = 0;
  export const handler = async () => ({ id, events: ++events });`;

  interface Counted {
    readonly id: string;
    readonly events: number;
  }

  /** Writes its key, and answers never; only a `{quick: true}` it answers. */
  const HANGING = `
  export const handler = async ({ quick }) => {
    if (quick) return 'quick';
    console.log('began ' + process.env.AWS_ACCESS_KEY_ID);
    return await new Promise(() => setInterval(() => undefined, 1_000));
  };`;

  describe('environments', () => {
    it('stay warm: the state of the module is there for the next event', async () => {
      const { standIn, create, invoke } = await startLambda();
      const work = await create(COUNTING);

      const first = answerOf(await invoke(work)) as Counted;
      const second = answerOf(await invoke(work)) as Counted;

      expect([first.events, second]).toStrictEqual([1, { id: first.id, events: 2 }]);
      expect(standIn.environments).toBe(1);
    });

    it('are as many as there are events at a time', async () => {
      const { standIn, create, invoke } = await startLambda();
      const work = await create(COUNTING);

      const together = (await Promise.all([invoke(work), invoke(work), invoke(work)])).map(
        (invocation) => answerOf(invocation) as Counted,
      );

      expect(new Set(together.map(({ id }) => id)).size).toBe(3);
      expect(together.map(({ events }) => events)).toStrictEqual([1, 1, 1]);
      expect(standIn.environments).toBe(3);

      const next = answerOf(await invoke(work)) as Counted;

      expect(together.map(({ id }) => id)).toContain(next.id);
      expect(next.events).toBe(2);
      expect(standIn.environments).toBe(3);
    });

    it('are known by the key that they sign with', async () => {
      const { standIn, create, invoke } = await startLambda();
      const work = await create('export const handler = () => process.env.AWS_ACCESS_KEY_ID;');

      const key = answerOf(await invoke(work)) as string;

      expect(standIn.callerOf(key)).toBe(work);
      expect(standIn.callerOf('local')).toBeUndefined();
    });
  });

  describe('kill', () => {
    it('ends an environment in the middle of an event; the next one gets another', async () => {
      const { standIn, create, invoke, logged } = await startLambda();
      const work = await create(HANGING);
      const running = invoke(work);
      const key = (await logged('began ')).slice('began '.length);

      standIn.kill(key);

      expect((await running).error).toStrictEqual({
        errorType: 'Runtime.ExitError',
        errorMessage: 'Error: Runtime exited with error: signal: killed',
      });
      expect(standIn.callerOf(key)).toBeUndefined();
      expect(answerOf(await invoke(work, { quick: true }))).toBe('quick');
      expect(standIn.environments).toBe(1);
    });

    it('ends an environment that waits for an event', async () => {
      const { standIn, create, invoke } = await startLambda();
      const work = await create('export const handler = () => process.env.AWS_ACCESS_KEY_ID;');
      const key = answerOf(await invoke(work)) as string;

      standIn.kill(key);

      expect(standIn.environments).toBe(0);
      expect(answerOf(await invoke(work))).not.toBe(key);
      expect(standIn.environments).toBe(1);
    });
  });

  describe('payloads', () => {
    it('come out up to the limit, and past it are an error of the function', async () => {
      const { create, invoke } = await startLambda();
      const work = await create("export const handler = (bytes) => 'a'.repeat(bytes - 2);");

      const { payload } = await invoke(work, PAYLOAD_LIMIT);
      const { error } = await invoke(work, PAYLOAD_LIMIT + 1);

      expect(Buffer.byteLength(payload ?? '')).toBe(PAYLOAD_LIMIT);
      expect(error).toStrictEqual({
        errorType: 'Function.ResponseSizeTooLarge',
        errorMessage:
          'Response payload size exceeded maximum allowed payload size (6291456 bytes); it has 6291457',
      });
    });
  });

  describe('what a function writes', () => {
    it('comes line by line with its name, from both of its streams', async () => {
      const { logs, create, invoke, logged } = await startLambda();
      const work = await create(
        "export const handler = () => { console.log('one\\ntwo'); console.error('three'); };",
      );
      await invoke(work);
      await Promise.all(['one', 'two', 'three'].map(logged));

      const written = logs.map(([functionName, line]) => `${functionName}: ${line}`);
      expect(written.sort()).toStrictEqual(['work: one', 'work: three', 'work: two']);
    });

    it('is cut to its last 4 KB in the tail', async () => {
      const { create, invoke } = await startLambda();
      const work = await create(
        "export const handler = () => { console.log('lost'); console.log('é'.repeat(2_000) + 'x'.repeat(97)); };",
      );
      const { logTail } = await invoke(work);
      expect([Buffer.byteLength(logTail), logTail.endsWith('x')]).toStrictEqual([4_095, true]);
      expect(logTail.startsWith('é')).toBe(true);
    });
  });

  describe('activity', () => {
    it('counts the invocations of each function', async () => {
      const { standIn, create, invoke } = await startLambda();
      const one = await create(COUNTING, { functionName: 'one' });
      const two = await create("throw new Error('broken');", { functionName: 'two' });

      for (const configuration of [one, two, one]) await invoke(configuration);

      const counted = [...standIn.activity].map(([name, { invocations }]) => [name, invocations]);
      expect(counted).toStrictEqual([
        ['one', 2],
        ['two', 1],
      ]);
    });
  });

  describe('close', () => {
    /** Listens, so that it can be seen from outside whether it lives. */
    const LISTENING = `
    import { createServer } from 'node:http';
    const server = createServer((_, response) => response.end('alive'));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    export const handler = () => port;`;

    it('ends every environment', async () => {
      const { standIn, create, invoke } = await startLambda();
      const work = await create(LISTENING);
      const ports = (await Promise.all([invoke(work), invoke(work)])).map(answerOf) as number[];
      const knock = (): Promise<string>[] =>
        ports.map((port) =>
          fetch(`http://127.0.0.1:${port}`).then(
            (answer) => answer.text(),
            () => 'gone',
          ),
        );
      expect(await Promise.all(knock())).toStrictEqual(['alive', 'alive']);

      await standIn.close();

      expect(await Promise.all(knock())).toStrictEqual(['gone', 'gone']);
      expect(standIn.environments).toBe(0);
    });

    it('ends what is under way, and takes no more', async () => {
      const { standIn, create, invoke, logged } = await startLambda();
      const work = await create(HANGING);
      const running = invoke(work);
      await logged('began ');

      await standIn.close();

      expect((await running).error?.errorMessage).toBe(
        'Error: Runtime exited with error: signal: terminated',
      );
      expect((await rejection(invoke(work, { quick: true }))).message).toBe(
        'the embedded AWS is closed',
      );
    });
  });
});

describe('invoke operation', () => {
  interface HttpFixture extends LambdaFixture {
    readonly url: string;
    readonly send: (
      input: Omit<InvokeCommandInput, 'FunctionName'> & Partial<InvokeCommandInput>,
    ) => Promise<InvokeCommandOutput>;
  }

  /** Lambda behind HTTP with the real client; the function is `work` unless another is named. */
  async function startHttp(source: string): Promise<HttpFixture> {
    const fixture = await startLambda();
    await fixture.create(source);
    const server = await serve(fixture.standIn.handle, 0);
    const client = new LambdaClient({
      endpoint: server.url,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    });
    onTestFinished(async () => {
      client.destroy();
      await server.close();
    });
    return {
      ...fixture,
      url: server.url,
      send: (input) => client.send(new InvokeCommand({ FunctionName: 'work', ...input })),
    };
  }

  const ECHO = 'export const handler = async (event) => event;';

  describe('Invoke, RequestResponse', () => {
    it('answers with what the function gives', async () => {
      const { send } = await startHttp(ECHO);

      const { $metadata, StatusCode, ExecutedVersion, FunctionError, LogResult, Payload } =
        await send({ Payload: '{"grüße": [1, null]}' });

      expect([StatusCode, $metadata.httpStatusCode, ExecutedVersion]).toStrictEqual([
        200,
        200,
        '$LATEST',
      ]);
      expect([FunctionError, LogResult]).toStrictEqual([undefined, undefined]);
      expect(Payload?.transformToString()).toBe('{"grüße":[1,null]}');
    });

    it('says with status 200 that the function failed, and how', async () => {
      const { send } = await startHttp(
        "export const handler = async () => { throw new RangeError('too far'); };",
      );

      const { StatusCode, FunctionError, Payload } = await send({});

      expect([StatusCode, FunctionError]).toStrictEqual([200, 'Unhandled']);
      expect(JSON.parse(Payload?.transformToString() ?? '')).toMatchObject({
        errorType: 'RangeError',
        errorMessage: 'too far',
      });
    });

    it('gives the end of the log when it is asked for', async () => {
      const { send } = await startHttp(
        "export const handler = async () => { console.log('grüße'); console.error('two'); };",
      );

      const { LogResult = '' } = await send({ LogType: 'Tail' });

      const lines = Buffer.from(LogResult, 'base64').toString().split('\n');
      expect(lines.sort()).toStrictEqual(['grüße', 'two']);
      expect((await send({ LogType: 'None' })).LogResult).toBeUndefined();
    });
  });

  describe('Invoke, Event', () => {
    it('is accepted at once, and the function runs', async () => {
      const { send, logged } = await startHttp(
        "export const handler = async ({ text }) => { console.log('ran ' + text); };",
      );

      const { StatusCode } = await send({ InvocationType: 'Event', Payload: '{"text": "alone"}' });

      expect(StatusCode).toBe(202);
      expect(await logged('ran')).toBe('ran alone');
    });
  });

  describe('Invoke, DryRun', () => {
    it('is answered with 204, and nothing runs', async () => {
      const { standIn, send } = await startHttp(ECHO);
      const { StatusCode } = await send({ InvocationType: 'DryRun' });
      expect([StatusCode, standIn.environments]).toStrictEqual([204, 0]);
    });
  });

  describe('the function of an invocation', () => {
    const ACCOUNT = '000000000000';

    it.each([
      'work',
      'work:$LATEST',
      `${ACCOUNT}:function:work`,
      `${ACCOUNT}:function:work:$LATEST`,
      `arn:aws:lambda:eu-central-1:${ACCOUNT}:function:work`,
      `arn:aws:lambda:eu-central-1:${ACCOUNT}:function:work:$LATEST`,
    ])('is found by %s', async (FunctionName) => {
      const { send } = await startHttp(ECHO);
      const { Payload } = await send({ FunctionName, Payload: '1' });
      expect(Payload?.transformToString()).toBe('1');
    });

    it.each(['other', 'wor', 'works', `arn:aws:lambda:eu-central-1:${ACCOUNT}:function:other`])(
      'is not found by %s, which is a ResourceNotFoundException',
      async (FunctionName) => {
        const { send } = await startHttp(ECHO);

        const error = await rejection(send({ FunctionName }));

        expect(error).toMatchObject({
          name: 'ResourceNotFoundException',
          message: `Function not found: ${FunctionName}`,
          Type: 'User',
          $metadata: { httpStatusCode: 404 },
        });
      },
    );
  });

  describe('an invocation that is wrong', () => {
    it('is refused when its payload is not JSON', async () => {
      const { standIn, url } = await startHttp(ECHO);

      const answer = await fetch(`${url}/2015-03-31/functions/work/invocations`, {
        method: 'POST',
        body: '{"limit": 10',
      });

      expect([answer.status, answer.headers.get('x-amzn-errortype')]).toStrictEqual([
        400,
        'InvalidRequestContentException',
      ]);
      expect(await answer.json()).toMatchObject({
        Message: expect.stringMatching(/^Could not parse request body into json/) as string,
      });
      expect(standIn.environments).toBe(0);
    });

    it('is described by its configuration', async () => {
      const { url } = await startHttp(ECHO);

      const answer = await fetch(`${url}/2015-03-31/functions/work/configuration`);
      const none = await fetch(`${url}/2015-03-31/functions/other/configuration`);

      expect([answer.status, await answer.json(), none.status]).toMatchObject([
        200,
        { FunctionName: 'work', Environment: { Variables: {} }, State: 'Active' },
        404,
      ]);
    });

    it.each([
      ['GET', '/2015-03-31/functions/', 'ListFunctions'],
      ['GET', '/2015-03-31/functions/work', 'GetFunction'],
      ['POST', '/2015-03-31/functions/work', 'POST /2015-03-31/functions/work'],
    ])('names the operation that does not exist here: %s %s', async (method, path, operation) => {
      const { url } = await startHttp(ECHO);
      const answer = await fetch(`${url}${path}`, { method });
      expect([answer.status, await answer.json()]).toMatchObject([
        501,
        {
          __type: 'NotImplemented',
          message: `${operation} is not implemented by the embedded AWS.`,
        },
      ]);
    });

    it('is refused past 6 MB, and not at 6 MB', async () => {
      const { send } = await startHttp('export const handler = async (event) => event.length;');
      const payload = (bytes: number): string => `"${'a'.repeat(bytes - 2)}"`;

      const { Payload } = await send({ Payload: payload(PAYLOAD_LIMIT) });
      const error = await rejection(send({ Payload: payload(PAYLOAD_LIMIT + 1) }));

      expect(Payload?.transformToString()).toBe(String(PAYLOAD_LIMIT - 2));
      expect(error).toMatchObject({
        name: 'RequestTooLargeException',
        $metadata: { httpStatusCode: 413 },
      });
    });
  });
});
