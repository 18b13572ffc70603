import type { IncomingHttpHeaders } from 'node:http';
import { invalidRequest } from './api_error.ts';

/**
 * Lets a request pass that carries an API key.
 *
 * @param validApiKey the only key that is good; without it, every key is.
 * @throws ApiError 401 without a key in `Authorization: Bearer …`, or with another than the valid one.
 */
export function authenticate(headers: IncomingHttpHeaders, validApiKey: string | undefined): void {
  const key = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (key === undefined) {
    throw invalidRequest(
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
      { status: 401 },
    );
  }
  if (validApiKey !== undefined && key !== validApiKey) {
    throw invalidRequest(`Incorrect API key provided: ${mask(key)}.`, {
      status: 401,
      code: 'invalid_api_key',
    });
  }
}

/** As OpenAI shows a key in its errors; a key too short to hide is hidden whole. */
function mask(key: string): string {
  return key.length < 16 ? '*'.repeat(key.length) : `${key.slice(0, 7)}****${key.slice(-4)}`;
}
