import {
  InvokeCommand,
  type InvokeCommandInput,
  type InvokeCommandOutput,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { describe, expect, it, onTestFinished } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { serve } from '../http/server.ts';
import { PAYLOAD_LIMIT } from './payload_limit.ts';
import { type LambdaFixture, startLambda } from './testing/lambda_fixture.ts';

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

  it('gives the function an empty object when there is no payload', async () => {
    const { send } = await startHttp(ECHO);
    expect((await send({})).Payload?.transformToString()).toBe('{}');
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

  it('is accepted although the function fails', async () => {
    const { send, logged } = await startHttp(
      "export const handler = async () => { console.log('failing'); throw new Error('no'); };",
    );
    const { StatusCode, FunctionError } = await send({ InvocationType: 'Event' });
    expect([StatusCode, FunctionError]).toStrictEqual([202, undefined]);
    expect(await logged('failing')).toBe('failing');
  });

  it('is refused past the limit as every invocation is', async () => {
    const { send } = await startHttp(ECHO);
    const Payload = Buffer.alloc(PAYLOAD_LIMIT + 1, '1');
    const { name } = await rejection(send({ InvocationType: 'Event', Payload }));
    expect(name).toBe('RequestTooLargeException');
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

  it.each([
    ['GET', '/2015-03-31/functions/work/invocations'],
    ['POST', '/2015-03-31/functions/work'],
    ['GET', '/2015-03-31/functions/'],
  ])('is refused when it is another operation: %s %s', async (method, path) => {
    const { url } = await startHttp(ECHO);
    const answer = await fetch(`${url}${path}`, { method });
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toStrictEqual([
      404,
      'UnknownOperationException',
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
