import type { JsonObject } from '../embedding_request.ts';
import type { BatchError } from './batch_script.ts';

/** The only endpoint whose batches the stand-in knows. */
export const embeddingsUrl = '/v1/embeddings';

/** A line of a valid input file. */
export interface BatchRequest {
  readonly custom_id: string;
  readonly body: JsonObject;
}

/** @returns undefined for a line that is no JSON object. */
export function parseLine(line: string): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The first field that makes a line no request to the embeddings endpoint; its body's limits come later. */
export function findWrongField(line: JsonObject): BatchError | undefined {
  const { custom_id: customId, method, url, body } = line;
  for (const param of ['custom_id', 'method', 'url', 'body']) {
    if (line[param] === undefined) return missing(param);
  }
  if (typeof customId !== 'string' || customId === '') {
    return invalid('custom_id', 'expected a string that is not empty');
  }
  if (method !== 'POST') return invalid('method', `expected 'POST'`);
  if (url !== embeddingsUrl) {
    return {
      code: 'url_mismatch',
      message: `The URL provided for this request does not match the batch endpoint '${embeddingsUrl}'.`,
      param: 'url',
    };
  }
  if (!isObject(body)) return invalid('body', 'expected an object');
  if (body['model'] === undefined) return missing('body.model');
  if (typeof body['model'] !== 'string') return invalid('body.model', 'expected a string');
  return undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function missing(param: string): BatchError {
  return {
    code: 'missing_required_parameter',
    message: `Missing required parameter: '${param}'.`,
    param,
  };
}

function invalid(param: string, why: string): BatchError {
  return { code: 'invalid_request', message: `Invalid value for '${param}': ${why}.`, param };
}
