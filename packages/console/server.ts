import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { problemOf } from './problems.ts';

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** What is sent while it happens: `event` names it, `data` becomes JSON. */
export interface StreamedEvent {
  readonly event: string;
  readonly data: unknown;
}

/** A question of the page. The signal is aborted once nobody waits for the answer. */
export type Route = (query: URLSearchParams, signal: AbortSignal) => Promise<unknown>;
export type Stream = (query: URLSearchParams, signal: AbortSignal) => AsyncIterable<StreamedEvent>;

export interface ConsoleSettings {
  /** 0 takes any free one. */
  readonly port: number;
  /** By path: `/`, `/app.js`, … */
  readonly files: Readonly<Record<string, PageFile>>;
  /** By path: `/api/receipts`, … */
  readonly routes: Readonly<Record<string, Route>>;
  /** By path; each answers with server-sent events. */
  readonly streams: Readonly<Record<string, Stream>>;
}

export interface RunningConsole {
  /** With the key in it: whoever opens it once gets a cookie, and is let in from then on. */
  readonly url: string;
  readonly origin: string;
  readonly close: () => Promise<void>;
}

const HOST = '127.0.0.1';

/** The page runs its own script and style and asks its own server; nothing of it goes anywhere else. */
const POLICY = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

/**
 * Serves the page on loopback. It answers whoever names a loopback host and has the key; no page of another origin; and GET alone,
 * since there is nothing that it changes.
 *
 * @throws when the port can't be had.
 */
export async function serveConsole(settings: ConsoleSettings): Promise<RunningConsole> {
  const key = randomBytes(24).toString('base64url');
  const ended = new AbortController();
  const door: { port: number } = { port: settings.port };
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const refusal = refusalOf(request, door.port);
    if (refusal !== undefined) {
      answerText(response, refusal.status, refusal.text);
      return;
    }
    void answer(request, response, { ...settings, key, port: door.port, ended: ended.signal });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.port, HOST, resolve);
  });
  door.port = (server.address() as AddressInfo).port;
  const origin = `http://${HOST}:${door.port}`;
  return {
    url: `${origin}/?key=${key}`,
    origin,
    close: async () => {
      ended.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Refusal {
  readonly status: number;
  readonly text: string;
}

/** A name that an attacker's DNS points at 127.0.0.1 is no loopback host, and a page of another origin has nothing to ask here. */
function refusalOf({ method, headers }: IncomingMessage, port: number): Refusal | undefined {
  const hosts = [HOST, 'localhost', '[::1]'].map((host) => `${host}:${port}`);
  const { host = '', origin } = headers;
  if (!hosts.includes(host.toLowerCase())) {
    return { status: 403, text: `The console answers ${hosts[0] ?? ''} and localhost only.` };
  }
  const site = headers['sec-fetch-site'];
  const isForeign =
    (origin !== undefined && origin !== `http://${host}`) ||
    (site !== undefined && site !== 'same-origin' && site !== 'none');
  // A link that the user follows from elsewhere opens the page; what it asks then is of this origin.
  const isNavigation = headers['sec-fetch-mode'] === 'navigate' && origin === undefined;
  if (isForeign && !isNavigation) {
    return { status: 403, text: 'The console answers no page of another origin.' };
  }
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, text: 'The console is read only: GET.' };
  }
  return undefined;
}

interface Door extends ConsoleSettings {
  readonly key: string;
  readonly ended: AbortSignal;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  door: Door,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', `http://${HOST}`);
  const given = searchParams.get('key');
  const cookie = `receipts-console-${door.port}`;
  if (pathname === '/' && given !== null && isSame(given, door.key)) {
    // The key leaves the address bar, and with it the history.
    response.setHeader('set-cookie', `${cookie}=${door.key}; HttpOnly; SameSite=Strict; Path=/`);
    response.writeHead(303, { location: '/' }).end();
    return;
  }
  if (!isSame(cookieOf(request, cookie), door.key)) {
    answerText(response, 401, 'Open the address that `receipts console` has printed.');
    return;
  }
  const file = valueOf(door.files, pathname);
  if (file !== undefined) {
    response.writeHead(200, { 'content-type': file.type }).end(file.body);
    return;
  }
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  const signal = AbortSignal.any([gone.signal, door.ended]);
  const stream = valueOf(door.streams, pathname);
  if (stream !== undefined) {
    await answerStream(response, stream(searchParams, signal), signal);
    return;
  }
  const route = valueOf(door.routes, pathname);
  if (route === undefined) {
    answerText(response, 404, 'There is nothing here.');
    return;
  }
  const { status, body } = await route(searchParams, signal).then(
    (body) => ({ status: 200, body }),
    (error: unknown) => {
      const { status, problem } = problemOf(error);
      return { status, body: { problem } };
    },
  );
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
    .end(JSON.stringify(body));
}

/** A stream that breaks off says why: a browser would only see that it is gone, and ask again for ever. */
async function answerStream(
  response: ServerResponse,
  events: AsyncIterable<StreamedEvent>,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.flushHeaders();
  try {
    for await (const event of events) {
      if (signal.aborted) break;
      response.write(written(event));
    }
  } catch (error) {
    if (!signal.aborted) {
      response.write(written({ event: 'problem', data: problemOf(error).problem }));
    }
  }
  response.end();
}

function written({ event, data }: StreamedEvent): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function answerText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

function cookieOf({ headers }: IncomingMessage, name: string): string {
  const pairs = (headers.cookie ?? '').split(/;\s*/);
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
}

function isSame(given: string, key: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(key)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function valueOf<Value>(of: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}
