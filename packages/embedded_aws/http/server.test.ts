import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { rejection } from '../../../tests/support/rejection.ts';
import { ConnectionCut, type RunningServer, serve, type ServeSettings } from './server.ts';
import type { Service, ServiceRequest } from './service.ts';

const running: RunningServer[] = [];

async function start(
  service: Service,
  port = 0,
  settings: ServeSettings = {},
): Promise<RunningServer> {
  const server = await serve(service, port, settings);
  running.push(server);
  return server;
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.close().catch(() => undefined);
});

function readerOf({ body }: Response): ReadableStreamDefaultReader<Uint8Array> {
  if (body === null) throw new Error('an answer without a body');
  return body.getReader();
}

const empty: Service = () => Promise.resolve({ status: 200 });

describe('a served request', () => {
  it('reaches the service whole, its path as it was sent', async () => {
    const seen: ServiceRequest[] = [];
    const { url } = await start((request) => {
      seen.push(request);
      return Promise.resolve({ status: 200 });
    });

    await fetch(`${url}/bucket/a%2Fb%20c?prefix=x%20y&list=&a?b=1`, {
      method: 'PUT',
      headers: { 'x-amz-meta-run': 'one' },
      body: Buffer.alloc(3_000_000, 'é'),
    });

    const [request] = seen;
    expect([request?.method, request?.path]).toStrictEqual(['PUT', '/bucket/a%2Fb%20c']);
    expect([...(request?.query ?? [])]).toStrictEqual([
      ['prefix', 'x y'],
      ['list', ''],
      ['a?b', '1'],
    ]);
    expect(request?.headers['x-amz-meta-run']).toBe('one');
    expect(request?.body.equals(Buffer.alloc(3_000_000, 'é'))).toBe(true);
  });

  it('is answered with the status, the headers and the body of the service', async () => {
    const { url } = await start(() =>
      Promise.resolve({ status: 418, headers: { 'x-amz-request-id': '1' }, body: 'grüße' }),
    );

    const answer = await fetch(url);

    expect([answer.status, answer.headers.get('x-amz-request-id')]).toStrictEqual([418, '1']);
    expect(answer.headers.get('content-length')).toBe('7');
    expect(await answer.text()).toBe('grüße');
  });

  it('for HEAD has the length of the body that it would have, and no body', async () => {
    const { url } = await start(() =>
      Promise.resolve({ status: 200, headers: { 'content-length': '42' } }),
    );
    const answer = await fetch(url, { method: 'HEAD' });
    expect(answer.headers.get('content-length')).toBe('42');
    expect(await answer.text()).toBe('');
  });

  it.each([204, 304])('with status %s has no length', async (status) => {
    const { url } = await start(() => Promise.resolve({ status }));
    expect((await fetch(url)).headers.get('content-length')).toBeNull();
  });

  it('is answered with 500 when the service throws, and the next one as ever', async () => {
    const outcomes = [() => Promise.reject(new Error('no idea')), empty];
    const { url } = await start((request) => (outcomes.shift() ?? empty)(request));

    const answer = await fetch(url);

    expect([answer.status, await answer.text()]).toStrictEqual([500, 'no idea']);
    expect((await fetch(url)).status).toBe(200);
  });

  it('with a body in chunks is answered chunk by chunk, as fast as they are read', async () => {
    let made = 0;
    function* endless(): Generator<Buffer> {
      try {
        for (;;) yield Buffer.alloc(100_000, `${(made += 1) % 10}`);
      } finally {
        made = -1;
      }
    }
    const outcomes: Service[] = [() => Promise.resolve({ status: 200, body: endless() })];
    const { url } = await start((request) => (outcomes.shift() ?? empty)(request));

    const reader = readerOf(await fetch(url));
    const { value } = await reader.read();

    expect(Buffer.from(value ?? []).toString('latin1', 0, 3)).toBe('111');
    // What the sockets hold is some megabytes; a server that does not wait would fill the memory.
    expect(made).toBeLessThan(1_000);
    await reader.cancel();
    await vi.waitUntil(() => made === -1);
    expect((await fetch(url)).status).toBe(200);
  });

  it.each([new ConnectionCut(), new Error('no idea')])(
    'is cut in the middle of its body when that throws %s, after all that came before',
    async (thrown) => {
      function* broken(): Generator<Buffer> {
        yield Buffer.from('half');
        throw thrown;
      }
      const { url } = await start(() => Promise.resolve({ status: 200, body: broken() }));
      const reader = readerOf(await fetch(url));
      const { value } = await reader.read();
      expect(Buffer.from(value ?? []).toString()).toBe('half');
      const { cause } = await rejection(reader.read());
      expect(cause).toMatchObject({ code: 'UND_ERR_SOCKET' });
    },
  );

  it('is cut when the service says so', async () => {
    const { url } = await start(() => Promise.reject(new ConnectionCut()));
    const { cause } = await rejection(fetch(url));
    expect(cause).toMatchObject({ code: 'UND_ERR_SOCKET' });
  });
});

describe('a server', () => {
  it('is at a free port when it may choose, and says where', async () => {
    const one = await start(empty);
    const two = await start(empty);
    expect(one.port).not.toBe(two.port);
    expect(one.url).toBe(`http://127.0.0.1:${one.port}`);
    expect((await fetch(two.url)).status).toBe(200);
  });

  it('is not started on a port that is taken', async () => {
    const { port } = await start(empty);
    expect(await rejection(serve(empty, port))).toMatchObject({ code: 'EADDRINUSE', port });
  });

  it('ends with all its connections, those that wait for an answer too', async () => {
    let asked = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const server = await start(() => {
      asked();
      return new Promise(() => undefined);
    });
    const waiting = rejection(fetch(server.url));
    await begun;

    await server.close();

    expect((await waiting).cause).toMatchObject({ code: 'UND_ERR_SOCKET' });
    expect((await rejection(fetch(server.url))).cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('outlives a client that goes away in the middle of its request', async () => {
    const { url, port } = await start(empty);
    const socket = connect(port, '127.0.0.1');
    socket.write(`PUT / HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-length: 100\r\n\r\nhalf`);
    socket.end();
    await new Promise((resolve) => socket.once('close', resolve).resume());
    expect((await fetch(url)).status).toBe(200);
  });
});

describe('a server that admits bodies of 1,000 bytes', () => {
  const limited = (service: Service = empty, more: ServeSettings = {}): Promise<RunningServer> =>
    start(service, 0, {
      admit: () => ({
        maxBytes: 1_000,
        tooLarge: () => ({ status: 413, body: 'at most 1,000 bytes' }),
      }),
      ...more,
    });

  /** What is answered to these bytes until the connection ends. */
  async function answerTo(port: number, ...parts: readonly string[]): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    for (const part of parts) socket.write(part);
    await new Promise((resolve) => {
      socket.once('error', () => undefined).once('close', resolve);
    });
    return answer;
  }
  const head = (port: number, length: string): string =>
    `PUT / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${length}\r\n\r\n`;

  it('takes one of as many, and refuses one of more when all of it has come', async () => {
    const sizes: number[] = [];
    const { url } = await limited((request) => {
      sizes.push(request.body.length);
      return empty(request);
    });
    const put = (length: number): Promise<Response> =>
      fetch(url, { method: 'PUT', body: Buffer.alloc(length) });
    expect((await put(1_000)).status).toBe(200);
    const refused = await put(20_000_000);
    expect([refused.status, await refused.text()]).toStrictEqual([413, 'at most 1,000 bytes']);
    expect((await put(1)).status).toBe(200);
    expect(sizes).toStrictEqual([1_000, 1]);
  });

  it('refuses at once what promises more than it would wait for', async () => {
    const { port } = await limited();
    expect(await answerTo(port, head(port, 'content-length: 2000000000'))).toMatch(
      /^HTTP\/1.1 413 [^]*at most 1,000 bytes$/,
    );
  });

  it('refuses what promises nothing and sends more', async () => {
    const { port } = await limited();
    const chunk = `7d0\r\n${'x'.repeat(2_000)}\r\n`;
    const answer = await answerTo(
      port,
      head(port, 'transfer-encoding: chunked'),
      chunk,
      '0\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
  });

  it('cuts a client off that falls silent in its body', async () => {
    const { port } = await limited(empty, { silenceMs: 50 });
    expect(await answerTo(port, head(port, 'content-length: 100'), 'half')).toBe('');
  });

  it('lets nothing of a request through that is refused by its head', async () => {
    const service = vi.fn(empty);
    const refusal = { status: 403, body: 'no' };
    const { url } = await limited(service, { admit: () => ({ refusal }) });
    const answer = await fetch(url, { method: 'PUT', body: Buffer.alloc(3_000_000) });
    expect([answer.status, await answer.text()]).toStrictEqual([403, 'no']);
    expect(service).not.toHaveBeenCalled();
  });
});

describe('a body of many megabytes', () => {
  it.each([['a known length'], ['chunks']])('comes whole, in %s', async (how) => {
    const digests: string[] = [];
    const { url } = await start((request) => {
      digests.push(createHash('sha256').update(request.body).digest('hex'));
      return empty(request);
    });
    const body = Buffer.from(Array.from({ length: 1_500_000 }, (_, at) => `${at}`).join(''));
    const sent =
      how === 'chunks' ? { body: new Blob([body]).stream(), duplex: 'half' as const } : { body };
    await fetch(url, { method: 'PUT', ...sent });
    expect(digests).toStrictEqual([createHash('sha256').update(body).digest('hex')]);
  });
});
