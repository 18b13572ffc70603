import { parseJson } from 'embedded-aws/http/json_text';
import { ConnectionCut } from 'embedded-aws/http/server';
import type { ServiceResponse } from 'embedded-aws/http/service';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns undefined for what is not a JSON object, or one that is nested too deep. */
export function parseJsonObject(text: string | Buffer): JsonObject | undefined {
  try {
    const parsed = parseJson(text.toString());
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** An answer with a JSON body. */
export function jsonAnswer(
  body: object,
  { status = 200, headers = {} }: { status?: number; headers?: ServiceResponse['headers'] } = {},
): ServiceResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

/** An answer that is an error: thrown where the request turns out to be wrong, answered by the stand-in. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** In the vendor's own form. */
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    body: object,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** The answer to a request, where it is an error too. @throws what `handle` throws, except an ApiError. */
export async function answered(handle: () => Promise<ServiceResponse>): Promise<ServiceResponse> {
  try {
    return await handle();
  } catch (error) {
    if (error instanceof ApiError) return jsonAnswer(error.body, error);
    throw error;
  }
}

/** The status that was answered; `pending` until then, and for as long as a fault lets the request hang. */
export type LoggedStatus = number | 'pending' | 'cut';

/** Performs a request, and notes its status once it is known. @throws what `handle` throws. */
export async function logged(
  entry: { status: LoggedStatus },
  handle: () => Promise<ServiceResponse>,
): Promise<ServiceResponse> {
  try {
    const response = await handle();
    entry.status = response.status;
    return response;
  } catch (error) {
    if (error instanceof ApiError) entry.status = error.status;
    if (error instanceof ConnectionCut) entry.status = 'cut';
    throw error;
  }
}
