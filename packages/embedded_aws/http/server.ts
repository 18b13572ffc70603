import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Service, ServiceRequest, ServiceResponse } from './service.ts';

export interface RunningServer {
  readonly port: number;
  /** `http://127.0.0.1:{port}`: an address, not a name, so that S3 clients choose path-style by themselves. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves `service` on the loopback address.
 *
 * @param port 0 takes any free port.
 * @throws the listen error (`EADDRINUSE`, …) when the port can't be had.
 */
export async function serve(service: Service, port: number): Promise<RunningServer> {
  const server = createServer((request, response) => {
    void answer(service, request, response);
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

async function answer(
  service: Service,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  try {
    await send(outgoing, await service(await read(incoming)));
  } catch (error) {
    // An answer that has begun can't be taken back: what is missing of it is all that says that something went wrong.
    if (error instanceof ConnectionCut || outgoing.headersSent) {
      outgoing.destroy();
      return;
    }
    await send(outgoing, {
      status: 500,
      body: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Thrown by a service to cut the connection instead of answering: the fault that clients see as ECONNRESET. */
export class ConnectionCut extends Error {
  override readonly name = 'ConnectionCut';
}

async function read(incoming: IncomingMessage): Promise<ServiceRequest> {
  const [path = '/', query = ''] = splitOnce(incoming.url ?? '/', '?');
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    headers: incoming.headers,
    body: await readBody(incoming),
  };
}

/** A body whose length is known is written once to where it stays: an upload of 200 MB needs 200 MB. */
async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const length = Number(incoming.headers['content-length'] ?? 0);
  if (length === 0) return await buffer(incoming);
  const body = Buffer.allocUnsafe(length);
  let at = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) at += chunk.copy(body, at);
  return body;
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
