import type { JsonObject } from '../answers.ts';
import { apiError, invalidRequest, missingParameter } from './errors.ts';
import { countTokens } from './token_count.ts';

/** What binds the requests for one embedding model. */
export interface EmbeddingModel {
  readonly id: string;
  /** The length of its vectors where a request names none, and the longest that may be asked for. */
  readonly maxDimensions: number;
  /** Whether a request may name `dimensions` at all. */
  readonly shortens: boolean;
}

/** OpenAI's embedding models, with the limits of its API reference. */
export const embeddingModels: readonly EmbeddingModel[] = [
  { id: 'text-embedding-3-small', maxDimensions: 1536, shortens: true },
  { id: 'text-embedding-3-large', maxDimensions: 3072, shortens: true },
  { id: 'text-embedding-ada-002', maxDimensions: 1536, shortens: false },
];

/** The limits of OpenAI's embeddings API reference, the same for every model. */
const MAX_INPUTS = 2_048;
const MAX_TOKENS_PER_INPUT = 8_192;
const MAX_TOKENS_PER_REQUEST = 300_000;

/** A request within all of the vendor's limits. */
export interface EmbeddingRequest {
  readonly model: EmbeddingModel;
  readonly inputs: readonly string[];
  readonly dimensions: number;
  readonly encodingFormat: 'float' | 'base64';
  /** Of all inputs together. */
  readonly tokens: number;
}

/**
 * Checks a request against the vendor's limits. Inputs are texts here; OpenAI takes arrays of token ids too.
 *
 * @throws ApiError with OpenAI's own error for the first limit that is broken.
 */
export function validate(body: JsonObject): EmbeddingRequest {
  const model = modelOf(body['model']);
  const encodingFormat = encodingFormatOf(body['encoding_format']);
  const dimensions = dimensionsOf(body['dimensions'], model);
  const inputs = inputsOf(body['input']);
  return { model, inputs, dimensions, encodingFormat, tokens: tokensOf(inputs, body['input']) };
}

function modelOf(id: unknown): EmbeddingModel {
  if (typeof id !== 'string' || id === '') {
    throw invalidRequest('you must provide a model parameter');
  }
  const model = embeddingModels.find((known) => known.id === id);
  if (model !== undefined) return model;
  throw invalidRequest(`The model \`${id}\` does not exist or you do not have access to it.`, {
    status: 404,
    code: 'model_not_found',
  });
}

function encodingFormatOf(format: unknown): EmbeddingRequest['encodingFormat'] {
  if (format === undefined || format === 'float' || format === 'base64') return format ?? 'float';
  throw invalidRequest(
    `Invalid value for 'encoding_format': expected one of 'float' or 'base64'.`,
    { param: 'encoding_format' },
  );
}

function dimensionsOf(dimensions: unknown, { maxDimensions, shortens }: EmbeddingModel): number {
  const param = 'dimensions';
  if (dimensions === undefined) return maxDimensions;
  if (!shortens) {
    throw invalidRequest('This model does not support specifying dimensions.', { param });
  }
  if (typeof dimensions !== 'number' || !Number.isInteger(dimensions)) {
    throw invalidRequest(`Invalid type for 'dimensions': expected an integer.`, {
      param,
      code: 'invalid_type',
    });
  }
  if (dimensions >= 1 && dimensions <= maxDimensions) return dimensions;
  const bound =
    dimensions < 1 ? 'greater than or equal to 1' : `less than or equal to ${maxDimensions}`;
  throw invalidRequest(`Invalid value for 'dimensions' = ${dimensions}. Must be ${bound}.`, {
    param,
  });
}

function inputsOf(input: unknown): readonly string[] {
  if (input === undefined) throw missingParameter('input');
  const inputs: unknown = typeof input === 'string' ? [input] : input;
  if (!Array.isArray(inputs) || !inputs.every((text) => typeof text === 'string')) {
    throw invalidInput(`'$.input' is invalid. Please check the API reference.`);
  }
  if (inputs.length === 0) throw invalidInput(`Invalid 'input': input cannot be an empty array.`);
  if (inputs.length > MAX_INPUTS) {
    throw invalidInput(`Invalid 'input': array length must be ${MAX_INPUTS} or less.`);
  }
  const empty = inputs.indexOf('');
  if (empty >= 0) {
    throw invalidInput(`Invalid '${nameOf(empty, input)}': input cannot be an empty string.`);
  }
  return inputs;
}

function tokensOf(inputs: readonly string[], input: unknown): number {
  let total = 0;
  for (const [i, text] of inputs.entries()) {
    const tokens = countTokens(text);
    if (tokens > MAX_TOKENS_PER_INPUT) {
      // OpenAI's wording depends on the input's shape.
      const what = Array.isArray(input) ? 'input length' : 'context length';
      throw invalidInput(
        `Invalid '${nameOf(i, input)}': maximum ${what} is ${MAX_TOKENS_PER_INPUT} tokens.`,
      );
    }
    total += tokens;
  }
  if (total <= MAX_TOKENS_PER_REQUEST) return total;
  throw apiError(400, {
    message: `Requested ${total} tokens, max ${MAX_TOKENS_PER_REQUEST} tokens per request`,
    type: 'max_tokens_per_request',
    param: null,
    code: 'max_tokens_per_request',
  });
}

function invalidInput(message: string): Error {
  return invalidRequest(message, { param: 'input' });
}

function nameOf(i: number, input: unknown): string {
  return Array.isArray(input) ? `input[${i}]` : 'input';
}
