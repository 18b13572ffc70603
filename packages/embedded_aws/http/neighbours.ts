import type { IncomingHttpHeaders } from 'node:http';

/** The names of this machine, as a URL has them. */
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Who may ask at all. A server on the loopback address is reached by every page that this machine's browser shows: a name
 * that a page's owner has pointed at 127.0.0.1 makes it a page's own server, and a form or `fetch` may post to any address.
 *
 * @param port the server's own.
 * @returns the status and the words of the refusal; undefined for a request that is answered.
 */
export function refusedNeighbour(
  { host, origin, ...headers }: IncomingHttpHeaders,
  port: number,
): { readonly status: 403 | 421; readonly message: string } | undefined {
  const own = LOOPBACK.map((name) => `${name}:${port}`);
  if (host === undefined || !own.includes(host.toLowerCase())) {
    return {
      status: 421,
      message: `This server answers requests to ${own.join(', ')} only: the request's Host header names another.`,
    };
  }
  const site = headers['sec-fetch-site'];
  const foreign = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (foreign || (origin !== undefined && !own.includes(origin.replace(/^http:\/\//, '')))) {
    return {
      status: 403,
      message: 'This server answers no page of another origin: the request comes from one.',
    };
  }
  return undefined;
}
