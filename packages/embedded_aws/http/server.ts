import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refusedNeighbour } from './neighbours.ts';
import type {
  Admission,
  RequestHead,
  Service,
  ServiceRequest,
  ServiceResponse,
} from './service.ts';

export interface RunningServer {
  readonly port: number;
  /** `http://127.0.0.1:{port}`: an address, not a name, so that S3 clients choose path-style by themselves. */
  readonly url: string;
  close(): Promise<void>;
}

export interface ServeSettings {
  /**
   * Judges a request before its body is read.
   *
   * @default bodies of up to 256 MiB are read
   */
  readonly admit?: (head: RequestHead) => Admission;
  /**
   * How long a client may be silent in the middle of a request, milliseconds.
   *
   * @default 30 seconds
   */
  readonly silenceMs?: number;
}

/** More than any request of a vendor may have (OpenAI's files: 200 MB). */
const MAX_BODY_BYTES = 256 * 1_024 * 1_024;

/**
 * Serves `service` on the loopback address, to programs of this machine: not to other names, nor to pages of other origins.
 *
 * @param port 0 takes any free port.
 * @throws the listen error (`EADDRINUSE`, …) when the port can't be had.
 */
export async function serve(
  service: Service,
  port: number,
  { admit = admitAll, silenceMs = 30_000 }: ServeSettings = {},
): Promise<RunningServer> {
  const door = { service, admit, silenceMs };
  // A client that has connected and sends no head is cut off by Node itself.
  const server = createServer({ headersTimeout: silenceMs }, (request, response) => {
    void answer(door, request, response);
  });
  // The default of 5 seconds closes idle sockets under a client that is about to reuse them.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => {
          if (error) reject(error);
          else resolve();
        });
        server.closeAllConnections();
      }),
  };
}

type Door = Required<ServeSettings> & { readonly service: Service };

function admitAll(): Admission {
  return {
    maxBytes: MAX_BODY_BYTES,
    tooLarge: () => plainText(413, `The request's body is larger than ${MAX_BODY_BYTES} bytes.`),
  };
}

function plainText(status: number, body: string): ServiceResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

async function answer(
  door: Door,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  try {
    const head = readHead(incoming);
    const request = await admitted(door, head, incoming);
    if ('refusal' in request) await refuse(door, request.refusal, incoming, outgoing);
    else await send(outgoing, await door.service(request));
  } catch (error) {
    // An answer that has begun can't be taken back: what is missing of it is all that says that something went wrong.
    if (error instanceof ConnectionCut || outgoing.headersSent) {
      outgoing.destroy();
      return;
    }
    await send(outgoing, plainText(500, error instanceof Error ? error.message : String(error)));
  }
}

function readHead(incoming: IncomingMessage): RequestHead {
  const [path = '/', query = ''] = splitOnce(incoming.url ?? '/', '?');
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    headers: incoming.headers,
  };
}

/** The whole request, or why it is not answered. @throws ConnectionCut when the client falls silent. */
async function admitted(
  { admit, silenceMs }: Door,
  head: RequestHead,
  incoming: IncomingMessage,
): Promise<ServiceRequest | { readonly refusal: ServiceResponse }> {
  const refused = refusedNeighbour(head.headers, incoming.socket.localPort ?? 0);
  if (refused !== undefined) return { refusal: plainText(refused.status, refused.message) };
  const admission = admit(head);
  if ('refusal' in admission) return admission;
  const body = await readBody(incoming, admission.maxBytes, silenceMs);
  return body === undefined ? { refusal: admission.tooLarge() } : { ...head, body };
}

/** A client that is sending hears an answer only once it has sent: of so many bytes, the rest is awaited. */
const AWAITED_BYTES = 32 * 1_024 * 1_024;

/** Answers a request whose body was not read, or not to its end. */
async function refuse(
  { silenceMs }: Door,
  refusal: ServiceResponse,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  if (promisedLength(incoming) <= AWAITED_BYTES) {
    let left = AWAITED_BYTES;
    for await (const chunk of chunksOf(incoming, silenceMs)) {
      left -= chunk.length;
      if (left < 0) break;
    }
  }
  await send(outgoing, { ...refusal, headers: { ...refusal.headers, connection: 'close' } });
}

/** Thrown by a service to cut the connection instead of answering: the fault that clients see as ECONNRESET. */
export class ConnectionCut extends Error {
  override readonly name = 'ConnectionCut';
}

/** 0 where the client does not say it. */
function promisedLength({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? 0);
}

/** So much must have come before the memory for all that is promised is taken. */
const EARNEST_BYTES = 4 * 1_024 * 1_024;

/**
 * A body whose length is known is written once to where it stays: an upload of 200 MB needs 200 MB.
 *
 * @returns undefined for one that is longer than `maxBytes`; it is not read to its end then.
 * @throws ConnectionCut when the client falls silent.
 */
async function readBody(
  incoming: IncomingMessage,
  maxBytes: number,
  silenceMs: number,
): Promise<Buffer | undefined> {
  const promised = promisedLength(incoming);
  if (promised > maxBytes) return undefined;
  let first: Buffer[] = [];
  let whole: Buffer | undefined;
  let length = 0;
  for await (const chunk of chunksOf(incoming, silenceMs)) {
    if (length + chunk.length > maxBytes) return undefined;
    if (whole === undefined) first.push(chunk);
    else chunk.copy(whole, length);
    length += chunk.length;
    if (whole === undefined && promised > 0 && length >= EARNEST_BYTES) {
      whole = Buffer.allocUnsafe(promised);
      Buffer.concat(first).copy(whole);
      first = [];
    }
  }
  return whole ?? Buffer.concat(first);
}

/** What the client sends, as it comes; the connection stays when nobody reads on. @throws ConnectionCut */
async function* chunksOf(incoming: IncomingMessage, silenceMs: number): AsyncGenerator<Buffer> {
  const cut = (): void => {
    incoming.destroy(new ConnectionCut());
  };
  const timer = setTimeout(cut, silenceMs);
  try {
    const chunks = incoming.iterator({ destroyOnReturn: false });
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      timer.refresh();
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
  }
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

async function send(outgoing: ServerResponse, response: ServiceResponse): Promise<void> {
  if (outgoing.destroyed) return;
  const body = response.body ?? '';
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) {
    outgoing.writeHead(response.status, response.headers);
    for (const chunk of body) await write(outgoing, chunk);
    outgoing.end();
    return;
  }
  // A HEAD answer says how long the body would have been; a 204 or 304 has no length at all.
  const headers: Record<string, string | number> = { ...response.headers };
  if (
    headers['content-length'] === undefined &&
    response.status !== 204 &&
    response.status !== 304
  ) {
    headers['content-length'] = Buffer.byteLength(body);
  }
  outgoing.writeHead(response.status, headers);
  outgoing.end(body);
}

/** Settles once the chunk has left this process; fails when nobody is there to take it. */
function write(outgoing: ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (outgoing.destroyed) {
      reject(new ConnectionCut());
      return;
    }
    outgoing.write(chunk, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
