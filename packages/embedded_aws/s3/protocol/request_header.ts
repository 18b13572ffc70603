import type { IncomingHttpHeaders } from 'node:http';

/** @returns one header's value, a repeated header's values joined as HTTP joins them. */
export function requestHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
