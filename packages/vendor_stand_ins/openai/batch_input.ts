import * as z from 'zod';
import { ApiError, type JsonObject, parseJsonObject } from '../answers.ts';
import type { BatchError } from './batch_script.ts';
import { embeddingModels, validate } from './embedding_request.ts';

/** The only endpoint whose batches the stand-in knows. */
export const EMBEDDINGS_URL = '/v1/embeddings';

/** The limits of OpenAI's Batch API reference. */
const MAX_REQUESTS = 50_000;
const MAX_EMBEDDING_INPUTS = 50_000;

/** A file that is not a batch at all gets no endless answer. */
const MAX_ERRORS = 100;

/** A line of a valid input file. */
const requestSchema = z.object({
  custom_id: z.string().min(1),
  method: z.literal('POST'),
  url: z.literal(EMBEDDINGS_URL),
  body: z.looseObject({ model: z.string() }),
});

export type BatchRequest = z.infer<typeof requestSchema>;

/** A valid input file. Held once, as the bytes that came: its lines are parsed again whenever they are needed. */
export class BatchInput {
  readonly model: string;
  readonly #file: Buffer;
  readonly #starts: Uint32Array;
  readonly #tokens: Uint32Array;

  /** @param starts where each line begins, and where the last one ends. */
  constructor(file: Buffer, model: string, starts: readonly number[], tokens: readonly number[]) {
    this.model = model;
    this.#file = file;
    this.#starts = Uint32Array.from(starts);
    this.#tokens = Uint32Array.from(tokens);
  }

  get requests(): number {
    return this.#tokens.length;
  }

  request(index: number): BatchRequest {
    const line = this.#file.toString('utf8', this.#starts[index], this.#starts[index + 1]);
    return JSON.parse(line) as BatchRequest;
  }

  /** 0 for a request that the embeddings endpoint refuses. */
  tokens(index: number): number {
    return this.#tokens[index] ?? 0;
  }
}

/** @returns what is wrong with the file, where anything is. */
export function readBatchInput(file: Buffer): BatchInput | readonly BatchError[] {
  const starts = lineStarts(file);
  const requests = starts.length - 1;
  if (requests === 0) return [wholeFile('empty_file', 'The batch input file is empty.')];
  if (requests > MAX_REQUESTS) return [tooMany(requests, 'requests', MAX_REQUESTS)];

  const errors: BatchError[] = [];
  const customIds = new Set<string>();
  const tokens: number[] = [];
  let inputs = 0;
  let model: string | undefined;
  for (let i = 0; i < requests && errors.length < MAX_ERRORS; i++) {
    const request = readRequest(file.toString('utf8', starts[i], starts[i + 1]));
    const error = 'code' in request ? request : wrongInFile(request, customIds, model);
    if (error !== undefined) errors.push({ ...error, line: i + 1 });
    if ('code' in request) continue;
    const { custom_id: customId, body } = request;
    customIds.add(customId);
    model ??= body.model;
    inputs += Array.isArray(body['input']) ? body['input'].length : 1;
    tokens.push(tokensOf(body));
  }
  if (errors.length > 0) return errors;
  if (inputs > MAX_EMBEDDING_INPUTS) {
    return [tooMany(inputs, 'embedding inputs', MAX_EMBEDDING_INPUTS)];
  }
  return new BatchInput(file, model ?? '', starts, tokens);
}

/** The request of a line by itself; the limits of its body come later. */
function readRequest(line: string): BatchRequest | BatchError {
  const parsed = parseJsonObject(line);
  if (parsed === undefined) {
    return { code: 'invalid_json_line', message: 'This line is not parseable as valid JSON.' };
  }
  const { data, error } = requestSchema.safeParse(parsed);
  if (data !== undefined) return data;
  const [{ path, message } = { path: [], message: '' }] = error.issues;
  const param = path.join('.');
  const value = path.reduce<unknown>((at, key) => (at as JsonObject)[String(key)], parsed);
  if (value === undefined) {
    return {
      code: 'missing_required_parameter',
      message: `Missing required parameter: '${param}'.`,
      param,
    };
  }
  const code = param === 'url' ? 'url_mismatch' : 'invalid_request';
  return { code, message: `Invalid value for '${param}': ${message}.`, param };
}

/** What is wrong with a request beside the ones before it. */
function wrongInFile(
  { custom_id: customId, body }: BatchRequest,
  customIds: ReadonlySet<string>,
  model = body.model,
): BatchError | undefined {
  if (customIds.has(customId)) {
    return {
      code: 'duplicate_custom_id',
      message: `The custom_id '${customId}' is that of another request in the file, too.`,
      param: 'custom_id',
    };
  }
  const param = 'body.model';
  if (!embeddingModels.some(({ id }) => id === body.model)) {
    return {
      code: 'model_not_found',
      message: `The provided model '${body.model}' is not supported by the Batch API.`,
      param,
    };
  }
  if (model === body.model) return undefined;
  return {
    code: 'mismatched_model',
    message: `The model '${body.model}' does not match '${model}': a file is for one model.`,
    param,
  };
}

function tokensOf(body: JsonObject): number {
  try {
    return validate(body).tokens;
  } catch (error) {
    if (error instanceof ApiError) return 0;
    throw error;
  }
}

/** An empty line at the end is not a line; an empty line in the middle is a wrong one. */
function lineStarts(file: Buffer): readonly number[] {
  const starts = [0];
  for (let at = file.indexOf(10); at >= 0; at = file.indexOf(10, at + 1)) starts.push(at + 1);
  if (starts.at(-1) !== file.length) starts.push(file.length);
  return starts;
}

function wholeFile(code: string, message: string): BatchError {
  return { code, message, line: null, param: null };
}

function tooMany(count: number, what: string, limit: number): BatchError {
  const message = `The batch input file has ${count} ${what}. The limit is ${limit}.`;
  return wholeFile('too_many_tasks', message);
}
