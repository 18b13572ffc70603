import { invalidRequest, missingParameter } from '../api_error.ts';
import type { JsonObject } from '../embedding_request.ts';
import { checkExpiry, secondsKept } from '../files/expiry.ts';
import type { NewBatch } from './batch.ts';
import { embeddingsUrl } from './request_line.ts';

/** The limits of metadata in OpenAI's reference: pairs, and characters. */
const maxPairs = 16;
const maxKeyLength = 64;
const maxValueLength = 512;

/**
 * Reads what a batch is created with. Whether the input file is there, and good, is for the validation to find.
 *
 * @throws ApiError 400
 */
export function readNewBatch(body: JsonObject): Omit<NewBatch, 'id' | 'created'> {
  const inputFileId = textOf(body, 'input_file_id');
  if (!inputFileId.startsWith('file-')) {
    throw invalidRequest(
      `Invalid 'input_file_id': '${inputFileId}'. Expected an ID that begins with 'file'.`,
      { param: 'input_file_id', code: 'invalid_value' },
    );
  }
  expectValue(body, 'endpoint', embeddingsUrl);
  expectValue(body, 'completion_window', '24h');
  const expiry = body['output_expires_after'];
  return {
    inputFileId,
    metadata: metadataOf(body['metadata']),
    secondsKept:
      expiry === undefined ? secondsKept : checkExpiry(expiry as object, 'output_expires_after'),
  };
}

function textOf(body: JsonObject, param: string): string {
  const value = body[param];
  if (value === undefined) throw missingParameter(param);
  if (typeof value === 'string') return value;
  throw invalidRequest(`Invalid type for '${param}': expected a string.`, {
    param,
    code: 'invalid_type',
  });
}

function expectValue(body: JsonObject, param: string, expected: string): void {
  const value = textOf(body, param);
  if (value === expected) return;
  throw invalidRequest(`Invalid value: '${value}'. Supported values are: '${expected}'.`, {
    param,
    code: 'invalid_value',
  });
}

function metadataOf(metadata: unknown): NewBatch['metadata'] {
  if (metadata === undefined || metadata === null) return null;
  if (typeof metadata !== 'object' || Array.isArray(metadata)) {
    throw invalidMetadata('metadata', 'expected an object', 'invalid_type');
  }
  const pairs = Object.entries(metadata as JsonObject);
  if (pairs.length > maxPairs) {
    throw invalidMetadata(
      'metadata',
      `at most ${maxPairs} properties`,
      'object_above_max_properties',
    );
  }
  return Object.fromEntries(pairs.map(([key, value]) => [checkKey(key), checkValue(key, value)]));
}

function checkKey(key: string): string {
  if (key.length <= maxKeyLength) return key;
  throw invalidMetadata(
    'metadata',
    `keys of at most ${maxKeyLength} characters`,
    'string_above_max_length',
  );
}

function checkValue(key: string, value: unknown): string {
  if (typeof value !== 'string') {
    throw invalidMetadata(`metadata.${key}`, 'expected a string', 'invalid_type');
  }
  if (value.length <= maxValueLength) return value;
  throw invalidMetadata(
    `metadata.${key}`,
    `at most ${maxValueLength} characters`,
    'string_above_max_length',
  );
}

function invalidMetadata(param: string, expected: string, code: string): Error {
  return invalidRequest(`Invalid '${param}': ${expected}.`, { param, code });
}
