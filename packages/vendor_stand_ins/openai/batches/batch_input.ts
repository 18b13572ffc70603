import { ApiError } from '../api_error.ts';
import { embeddingModels } from '../embedding_models.ts';
import { type JsonObject, validate } from '../embedding_request.ts';
import type { BatchError } from './batch_script.ts';
import { type BatchRequest, findWrongField, parseLine } from './request_line.ts';

/** The limits of OpenAI's Batch API reference. */
export const maxRequests = 50_000;
export const maxEmbeddingInputs = 50_000;

/** So that a file that is no batch at all has no endless answer. */
const maxErrors = 100;

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
  if (requests > maxRequests) {
    return [
      wholeFile(
        'too_many_tasks',
        `The batch input file has ${requests} requests. The limit is ${maxRequests}.`,
      ),
    ];
  }
  return new InputReader(file, starts).read();
}

/** One pass over the lines. */
class InputReader {
  readonly #file: Buffer;
  readonly #starts: readonly number[];
  readonly #seen = new Set<string>();
  readonly #tokens: number[] = [];
  readonly #errors: BatchError[] = [];
  #inputs = 0;
  #model: string | undefined;

  constructor(file: Buffer, starts: readonly number[]) {
    this.#file = file;
    this.#starts = starts;
  }

  read(): BatchInput | readonly BatchError[] {
    for (let i = 0; i + 1 < this.#starts.length && this.#errors.length < maxErrors; i++) {
      const error = this.#readLine(
        this.#file.toString('utf8', this.#starts[i], this.#starts[i + 1]),
      );
      if (error !== undefined) this.#errors.push({ ...error, line: i + 1 });
    }
    if (this.#errors.length > 0) return this.#errors;
    if (this.#inputs > maxEmbeddingInputs) {
      return [
        wholeFile(
          'too_many_tasks',
          `The batch input file has ${this.#inputs} embedding inputs. The limit is ${maxEmbeddingInputs}.`,
        ),
      ];
    }
    return new BatchInput(this.#file, this.#model ?? '', this.#starts, this.#tokens);
  }

  #readLine(line: string): BatchError | undefined {
    const parsed = parseLine(line);
    if (parsed === undefined) {
      return { code: 'invalid_json_line', message: 'This line is not parseable as valid JSON.' };
    }
    const wrong = findWrongField(parsed);
    if (wrong !== undefined) return wrong;
    const { custom_id: customId, body } = parsed as unknown as BatchRequest;
    if (this.#seen.has(customId)) {
      return {
        code: 'duplicate_custom_id',
        message: `The custom_id '${customId}' is that of another request in the file, too.`,
        param: 'custom_id',
      };
    }
    this.#seen.add(customId);
    this.#inputs += Array.isArray(body['input']) ? body['input'].length : 1;
    this.#tokens.push(tokensOf(body));
    return this.#checkModel(body['model'] as string);
  }

  #checkModel(model: string): BatchError | undefined {
    if (!embeddingModels.some(({ id }) => id === model)) {
      return {
        code: 'model_not_found',
        message: `The provided model '${model}' is not supported by the Batch API.`,
        param: 'body.model',
      };
    }
    this.#model ??= model;
    if (this.#model === model) return undefined;
    return {
      code: 'model_mismatch',
      message: `The model '${model}' does not match '${this.#model}': a file is for one model.`,
      param: 'body.model',
    };
  }
}

function tokensOf(body: JsonObject): number {
  try {
    return validate(body).tokens;
  } catch (error) {
    if (error instanceof ApiError) return 0;
    throw error;
  }
}

/** An empty line at the end is none, in the middle it is one that is wrong. */
function lineStarts(file: Buffer): readonly number[] {
  const starts = [0];
  for (let at = file.indexOf(10); at >= 0; at = file.indexOf(10, at + 1)) starts.push(at + 1);
  if (starts.at(-1) !== file.length) starts.push(file.length);
  return starts;
}

function wholeFile(code: string, message: string): BatchError {
  return { code, message, line: null, param: null };
}
