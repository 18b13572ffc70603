import { request } from 'node:http';
import { WrongArgument } from 'receipts-cli/command_line/arguments';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningConsole, serveConsole } from './server.ts';

let page: RunningConsole;
let cookie: string;
let port: number;

beforeAll(async () => {
  page = await serveConsole({
    port: 0,
    files: { '/': { type: 'text/html; charset=utf-8', body: '<p>page</p>' } },
    routes: {
      '/api/echo': (query) => Promise.resolve({ said: query.get('say') }),
      '/api/refused': () => Promise.reject(new WrongArgument('say it otherwise')),
      '/api/bug': () => Promise.reject(new TypeError('a bug')),
    },
    streams: {
      '/api/count': async function* () {
        yield await Promise.resolve({ event: 'one', data: 1 });
        throw new WrongArgument('no further');
      },
    },
  });
  port = Number(new URL(page.url).port);
  const { headers } = await ask(new URL(page.url).pathname + new URL(page.url).search, {});
  cookie = String(headers['set-cookie']).split(';')[0] ?? '';
});

afterAll(() => page.close());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** As node:http sends it: fetch would not let us say another host. */
function ask(
  path: string,
  headers: Readonly<Record<string, string>> = { cookie },
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('the page', () => {
  it('is opened by its address, whose key becomes a cookie that no script reads', async () => {
    const { search } = new URL(page.url);
    const opened = await ask(`/${search}`, {});
    expect(opened).toMatchObject({ status: 303, headers: { location: '/' } });
    expect(String(opened.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Strict/);
    expect(await ask('/')).toMatchObject({ status: 200, text: '<p>page</p>' });
  });

  it.each([
    ['no key', {}],
    ['another key', { cookie: 'receipts-console-1=wrong' }],
  ])('is not shown, and nothing answered, to whoever has %s', async (_, headers) => {
    expect((await ask('/', headers)).status).toBe(401);
    expect((await ask('/api/echo', headers)).status).toBe(401);
    expect((await ask('/?key=wrong', headers)).status).toBe(401);
  });

  it('runs nothing of another origin, and stands in no frame', async () => {
    for (const path of ['/', '/api/echo', '/nowhere']) {
      const { headers } = await ask(path);
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).toContain("connect-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
    }
  });
});

describe('a request', () => {
  it.each([
    ['to another name', () => ({ host: `evil.example:${port}` }), 403],
    ['to a name that begins as ours', () => ({ host: `localhost.evil.example:${port}` }), 403],
    ['to another port', () => ({ host: 'localhost:1' }), 403],
    ['of another origin', () => ({ origin: 'http://evil.example' }), 403],
    ['of a page of another port', () => ({ origin: 'http://localhost:1' }), 403],
    ['of a page without an origin', () => ({ origin: 'null' }), 403],
    ['that another site’s page sends', () => ({ 'sec-fetch-site': 'cross-site' }), 403],
    ['that a page of this machine sends', () => ({ 'sec-fetch-site': 'same-site' }), 403],
    ['to localhost', () => ({ host: `localhost:${port}` }), 200],
    ['of its own page', () => ({ 'sec-fetch-site': 'same-origin' }), 200],
  ])('%s is answered with %s', async (_, headers, status) => {
    expect((await ask('/api/echo', { cookie, ...headers() })).status).toBe(status);
  });

  it.each(['POST', 'PUT', 'DELETE'])('of %s is refused', async (method) => {
    expect((await ask('/api/echo', { cookie }, method)).status).toBe(405);
  });

  it('is answered, or told what is wrong with it', async () => {
    expect(JSON.parse((await ask('/api/echo?say=a%20b')).text)).toStrictEqual({ said: 'a b' });
    const refused = await ask('/api/refused');
    expect([refused.status, refused.text]).toStrictEqual([400, '{"problem":"say it otherwise"}']);
    expect(await ask('/api/bug')).toMatchObject({ status: 500 });
    expect(await ask('/api/toString')).toMatchObject({ status: 404 });
  });

  it('for a stream gets events, and at the end what broke it off', async () => {
    const { headers, text } = await ask('/api/count');
    expect(headers['content-type']).toContain('text/event-stream');
    expect(text).toBe('event: one\ndata: 1\n\nevent: problem\ndata: "no further"\n\n');
  });
});
