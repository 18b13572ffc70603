import { connect } from 'node:net';
import { type RunningServer, serve } from 'embedded-aws/http/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRaw } from '../embedded_aws/testing/signed_request.ts';
import { OpenAIStandIn } from './openai/openai_stand_in.ts';
import { PineconeStandIn } from './pinecone/pinecone_stand_in.ts';

const KEY = 'key-of-a-test';

interface Vendor {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A request that is answered with 200. */
  readonly body: string;
}

const OPENAI = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
const VENDORS = {
  'OpenAI’s embeddings': {
    path: '/v1/embeddings',
    headers: OPENAI,
    body: '{"model":"text-embedding-3-small","input":"milk"}',
  },
  'OpenAI’s batches': { path: '/v1/batches', headers: OPENAI, body: '' },
  'OpenAI’s files': { path: '/v1/files', headers: OPENAI, body: '' },
  Pinecone: { path: '/query', headers: { 'api-key': KEY }, body: '{"vector":[1,0],"topK":1}' },
} satisfies Record<string, Vendor>;
const NAMES = Object.keys(VENDORS) as (keyof typeof VENDORS)[];

let openai: RunningServer;
let pinecone: RunningServer;
beforeAll(async () => {
  openai = await serve(new OpenAIStandIn({ latencyMs: 0, apiKey: KEY }).handle, 0);
  const index = { indexName: 'receipts', dimension: 2, apiKey: KEY };
  pinecone = await serve(new PineconeStandIn(index).handle, 0);
});
afterAll(async () => {
  await openai.close();
  await pinecone.close();
});

const serverOf = (name: string): RunningServer => (name === 'Pinecone' ? pinecone : openai);

describe('a request from elsewhere, though with a good key', () => {
  it.each(
    NAMES.flatMap((name) =>
      (
        [
          [421, { host: 'evil.example' }],
          [403, { origin: 'http://evil.example' }],
          [403, { origin: 'null' }],
          [403, { 'sec-fetch-site': 'cross-site' }],
          [403, { 'sec-fetch-site': 'same-site' }],
        ] as const
      ).map(([status, more]) => [name, status, more] as const),
    ),
  )('is refused by %s with %s: %j', async (name, status, more) => {
    const { path, headers, body } = VENDORS[name];
    const sent = { path, headers: { ...headers, ...more }, body };
    expect((await sendRaw(serverOf(name).url, sent)).status).toBe(status);
  });

  it.each(['OpenAI’s embeddings', 'Pinecone'] as const)(
    'is no rule of %s for programs',
    async (name) => {
      const { path, headers, body } = VENDORS[name];
      expect((await sendRaw(serverOf(name).url, { path, headers, body })).status).toBe(200);
    },
  );
});

describe('a body that is not what it should be', () => {
  const nested = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
  it.each(
    NAMES.flatMap((name) =>
      [
        '',
        '{"a',
        '[1]',
        'null',
        '{"model":7,"input":7,"input_file_id":7,"vector":7,"metadata":7}',
        nested,
        `{"model":"text-embedding-3-small","input":${nested},"metadata":${nested},"vector":${nested},"filter":${nested}}`,
      ].map((body) => [name, body.slice(0, 20), body] as const),
    ),
  )('is a 400 of %s: %s', async (name, _, body) => {
    const { path, headers } = VENDORS[name];
    const answer = await sendRaw(serverOf(name).url, { path, headers, body });
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/"message":"/);
  });

  it.each(NAMES)('is not waited for by %s when 30 requests promise 2 GB each', async (name) => {
    const { path, headers } = VENDORS[name];
    const { port } = serverOf(name);
    const promise = async (): Promise<string> => {
      const socket = connect(port, '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      const lines = [
        `POST ${path} HTTP/1.1`,
        `host: 127.0.0.1:${port}`,
        'content-length: 2000000000',
        ...Object.entries(headers).map(([header, value]) => `${header}: ${value}`),
      ];
      socket.write(`${lines.join('\r\n')}\r\n\r\n`);
      await new Promise((resolve) => socket.once('close', resolve));
      return answer;
    };
    for (const answer of await Promise.all(Array.from({ length: 30 }, promise))) {
      expect(answer).toMatch(/^HTTP\/1.1 413 /);
    }
  });
});
