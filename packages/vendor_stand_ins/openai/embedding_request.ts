import { ApiError, invalidRequest, missingParameter } from './api_error.ts';
import { type EmbeddingModel, embeddingModels } from './embedding_models.ts';
import { countTokens } from './token_count.ts';

export type EncodingFormat = 'float' | 'base64';

/** A request within all of the vendor's limits. */
export interface EmbeddingRequest {
  readonly model: EmbeddingModel;
  readonly inputs: readonly string[];
  readonly dimensions: number;
  readonly encodingFormat: EncodingFormat;
  /** Of all inputs together. */
  readonly tokens: number;
}

/** The limits of OpenAI's embeddings API reference, the same for every model. */
export const maxInputs = 2_048;
export const maxTokensPerInput = 8_192;
export const maxTokensPerRequest = 300_000;

export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws ApiError 400 for a body that is no JSON object. */
export function parseBody(body: Buffer): JsonObject {
  try {
    const parsed: unknown = JSON.parse(body.toString());
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      return parsed as JsonObject;
    }
  } catch {
    // Answered below: the parser's own message could quote the text.
  }
  throw invalidRequest(
    'We could not parse the JSON body of your request. The OpenAI API expects a JSON payload.',
  );
}

/**
 * Holds a request against the vendor's limits. Inputs are texts here; OpenAI takes arrays of token ids too.
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
  if (typeof id !== 'string' || id === '')
    throw invalidRequest('you must provide a model parameter');
  const model = embeddingModels.find((known) => known.id === id);
  if (model !== undefined) return model;
  throw invalidRequest(`The model \`${id}\` does not exist or you do not have access to it.`, {
    status: 404,
    code: 'model_not_found',
  });
}

function encodingFormatOf(format: unknown): EncodingFormat {
  if (format === undefined || format === 'float' || format === 'base64') return format ?? 'float';
  throw invalidRequest(
    `Invalid value for 'encoding_format': expected one of 'float' or 'base64'.`,
    { param: 'encoding_format' },
  );
}

function dimensionsOf(dimensions: unknown, model: EmbeddingModel): number {
  if (dimensions === undefined) return model.maxDimensions;
  if (!model.shortens) {
    throw invalidRequest('This model does not support specifying dimensions.', {
      param: 'dimensions',
    });
  }
  if (typeof dimensions !== 'number' || !Number.isInteger(dimensions)) {
    throw invalidRequest(`Invalid type for 'dimensions': expected an integer.`, {
      param: 'dimensions',
      code: 'invalid_type',
    });
  }
  const bound =
    dimensions < 1
      ? 'greater than or equal to 1'
      : dimensions > model.maxDimensions
        ? `less than or equal to ${model.maxDimensions}`
        : undefined;
  if (bound !== undefined) {
    throw invalidRequest(`Invalid value for 'dimensions' = ${dimensions}. Must be ${bound}.`, {
      param: 'dimensions',
    });
  }
  return dimensions;
}

function inputsOf(input: unknown): readonly string[] {
  if (input === undefined) throw missingParameter('input');
  const inputs: unknown = typeof input === 'string' ? [input] : input;
  if (!Array.isArray(inputs) || !inputs.every((text) => typeof text === 'string')) {
    throw invalidInput(`'$.input' is invalid. Please check the API reference.`);
  }
  if (inputs.length === 0) throw invalidInput(`Invalid 'input': input cannot be an empty array.`);
  if (inputs.length > maxInputs) {
    throw invalidInput(`Invalid 'input': array length must be ${maxInputs} or less.`);
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
    if (tokens > maxTokensPerInput) {
      // OpenAI's wording depends on the input's shape.
      const what = Array.isArray(input) ? 'input length' : 'context length';
      throw invalidInput(
        `Invalid '${nameOf(i, input)}': maximum ${what} is ${maxTokensPerInput} tokens.`,
      );
    }
    total += tokens;
  }
  if (total <= maxTokensPerRequest) return total;
  throw new ApiError(400, {
    message: `Requested ${total} tokens, max ${maxTokensPerRequest} tokens per request`,
    type: 'max_tokens_per_request',
    param: null,
    code: 'max_tokens_per_request',
  });
}

function invalidInput(message: string): ApiError {
  return invalidRequest(message, { param: 'input' });
}

function nameOf(i: number, input: unknown): string {
  return Array.isArray(input) ? `input[${i}]` : 'input';
}
