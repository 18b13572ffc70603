import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { createSfnClient } from 'receipts-cli/executions/start_execution';
import { createDynamoDBClient, createS3Client } from 'receipt-embedding/aws_clients';
import { createOpenAIClient, OpenAIEmbedder } from 'receipt-embedding/embeddings/openai';
import { requestJson } from 'receipt-embedding/json_request';
import { CHROMA } from 'receipt-embedding/vendor_answers/chroma';
import { readText } from 'receipt-embedding/s3_objects';
import { createPineconeFetch } from 'receipt-embedding/stores/pinecone/pinecone_store';
import { getRow } from 'receipt-embedding/table/table';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { createSecretsProvider } from '../../simple_lambdas/runtime/secrets.ts';
import { rejection } from '../support/rejection.ts';

/** Enough for a request to arrive on a machine that is busy. */
const LIMITS = { answer: 400, silence: 400 };

/** Asks the server at this URL once, as the functions and commands do, with little patience. */
const CLIENTS: Readonly<Record<string, (url: string) => Promise<unknown>>> = {
  DynamoDB: () =>
    getRow(
      { client: createDynamoDBClient(undefined, LIMITS), name: 'table' },
      { PK: 'p', SK: 's' },
    ),
  S3: () => readText(createS3Client(LIMITS), { bucket: 'bucket', key: 'key' }),
  'Secrets Manager': () => createSecretsProvider(LIMITS).get('arn:aws:secretsmanager:secret'),
  'Step Functions': () =>
    createSfnClient('eu-west-1', LIMITS.answer).send(
      new DescribeExecutionCommand({
        executionArn: 'arn:aws:states:eu-west-1:111122223333:execution:machine:name',
      }),
    ),
  OpenAI: (url) =>
    new OpenAIEmbedder(createOpenAIClient({ apiKey: 'sk-1', baseURL: url, limits: LIMITS }), {
      model: 'text-embedding-3-small',
      dimensions: 2,
    }).embed(['MILK']),
  Pinecone: (url) =>
    createPineconeFetch({
      fetch,
      clock: () => new Date(),
      random: () => 0,
      sleep: () => Promise.resolve(),
      timeoutMs: LIMITS.answer,
    })(url),
  'Google and Chroma': (url) =>
    requestJson(fetch, z.object({}), { url, errors: CHROMA, timeout: LIMITS.answer }),
};

/** What a server does that has taken a request and gives no whole answer. */
const SILENCES: Readonly<Record<string, (response: ServerResponse) => void>> = {
  'says nothing': () => undefined,
  'begins an answer and falls silent': (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
    response.write('{');
  },
  'never comes to the end of its headers': ({ socket }) => {
    socket?.write('HTTP/1.1 200 OK\r\nx-header: ');
    const more = setInterval(() => socket?.write('x'), 50);
    socket?.on('close', () => {
      clearInterval(more);
    });
  },
};

describe.each(Object.entries(CLIENTS))('a client of %s', (_, ask) => {
  it.each(Object.entries(SILENCES))('gives up a server that %s', async (_, answer) => {
    let requests = 0;
    const server = createServer((request, response) => {
      requests++;
      request.resume();
      answer(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    vi.stubEnv('AWS_ENDPOINT_URL', url);
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });

    const error = await rejection(ask(url));

    expect(`${error.name} ${error.message} ${String(error.cause)}`).toMatch(
      /UpstreamUnavailable|TimeoutError|timed out|aborted/,
    );
    expect(requests).toBeGreaterThan(0);
  });
});
