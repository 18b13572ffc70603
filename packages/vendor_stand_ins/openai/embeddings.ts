import { endianness } from 'node:os';
import type { Faults } from 'embedded-aws/http/faults';
import type { ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import {
  jsonAnswer,
  type JsonObject,
  logged,
  type LoggedStatus,
  parseJsonObject,
} from '../answers.ts';
import { type EmbeddingRequest, validate } from './embedding_request.ts';
import { invalidRequest, rateLimitHeaders } from './errors.ts';
import type { Distortion, OpenAIRequest } from './faults.ts';
import { embedText } from './text_embedding.ts';

/** What was answered with 200. */
export interface Usage {
  readonly requests: number;
  readonly inputs: number;
  readonly tokens: number;
}

/** An embeddings request as it came in; a field is undefined where it was missing or of another type. */
export interface LoggedRequest {
  readonly inputs: readonly string[];
  readonly model: string | undefined;
  readonly dimensions: number | undefined;
  readonly encodingFormat: string | undefined;
  readonly status: LoggedStatus;
}

/** `POST /v1/embeddings`. */
export class EmbeddingsEndpoint {
  readonly #log = new RequestLog();
  readonly #faults: Faults<OpenAIRequest, Distortion>;
  readonly #wait: () => Promise<void>;
  #usage: Usage = { requests: 0, inputs: 0, tokens: 0 };

  /** @param wait settles after the time that OpenAI takes to answer. */
  constructor(faults: Faults<OpenAIRequest, Distortion>, wait: () => Promise<void>) {
    this.#faults = faults;
    this.#wait = wait;
  }

  get usage(): Usage {
    return this.#usage;
  }

  get requests(): readonly LoggedRequest[] {
    return this.#log.requests;
  }

  /** @throws ApiError for an answer that is an error, ConnectionCut for none at all. */
  async answer({ body }: ServiceRequest): Promise<ServiceResponse> {
    const parsed = parseBody(body);
    return await logged(this.#log.open(parsed), async () => {
      const request = validate(parsed);
      return await this.#faults.perform(
        { operation: 'embeddings.create', inputs: request.inputs, id: '' },
        () => this.#embed(request),
        (distortion) => this.#embed(request, distortion),
      );
    });
  }

  async #embed(request: EmbeddingRequest, distortion?: Distortion): Promise<ServiceResponse> {
    await this.#wait();
    const { inputs, tokens, model } = request;
    const dimensions =
      distortion && 'wrongDimension' in distortion ? distortion.wrongDimension : request.dimensions;
    const vectors = inputs.map((text, index) => ({ index, vector: embedText(text, dimensions) }));
    this.#usage = {
      requests: this.#usage.requests + 1,
      inputs: this.#usage.inputs + inputs.length,
      tokens: this.#usage.tokens + tokens,
    };
    const headers = { 'openai-model': model.id, ...rateLimitHeaders(tokens) };
    return jsonAnswer(embeddingBody(request, distorted(vectors, distortion)), { headers });
  }
}

/** @throws ApiError 400 for a body that is not a JSON object. */
export function parseBody(body: Buffer): JsonObject {
  const parsed = parseJsonObject(body);
  if (parsed !== undefined) return parsed;
  throw invalidRequest(
    'We could not parse the JSON body of your request. The OpenAI API expects a JSON payload.',
  );
}

export interface IndexedVector {
  /** The place of its input in the request. */
  readonly index: number;
  readonly vector: Float32Array;
}

/** The body of a 200 answer, with the vectors in the order given. */
export function embeddingBody(
  { encodingFormat, model, tokens }: EmbeddingRequest,
  vectors: readonly IndexedVector[],
): object {
  const encode = encodingFormat === 'base64' ? toBase64 : toNumbers;
  return {
    object: 'list',
    data: vectors.map(({ index, vector }) => ({
      object: 'embedding',
      index,
      embedding: encode(vector),
    })),
    model: model.id,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** Little-endian float32 on every machine; most have it in memory like that. */
function toBase64(vector: Float32Array): string {
  if (endianness() === 'LE') {
    return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
  }
  const bytes = Buffer.allocUnsafe(vector.length * 4);
  for (let i = 0; i < vector.length; i++) bytes.writeFloatLE(vector[i] ?? 0, i * 4);
  return bytes.toString('base64');
}

/** Nine significant digits are enough to read the same float32 again. */
function toNumbers(vector: Float32Array): number[] {
  return Array.from(vector, (value) => Number(value.toPrecision(9)));
}

function distorted(
  vectors: readonly IndexedVector[],
  distortion: Distortion | undefined,
): readonly IndexedVector[] {
  if (distortion === undefined) return vectors;
  if ('shuffle' in distortion) return vectors.toReversed();
  if ('nanVector' in distortion) {
    return vectors.map((item, i) =>
      i === 0 ? { ...item, vector: new Float32Array(item.vector.length).fill(NaN) } : item,
    );
  }
  if ('wrongCount' in distortion) {
    if (distortion.wrongCount === -1) return vectors.slice(0, -1);
    return [...vectors, ...vectors.slice(-1).map((last) => ({ ...last, index: last.index + 1 }))];
  }
  // Vectors of another length were made as such.
  distortion satisfies { readonly wrongDimension: number };
  return vectors;
}

/** So many inputs are kept, all requests together. */
const MAX_LOGGED_INPUTS = 10_000;

/** The latest requests. */
class RequestLog {
  readonly #entries: LoggedRequest[] = [];
  #inputs = 0;

  get requests(): readonly LoggedRequest[] {
    return this.#entries.map((entry) => ({ ...entry }));
  }

  open(body: JsonObject): { status: LoggedStatus } {
    const { input, model, dimensions, encoding_format: encodingFormat } = body;
    const entry = {
      inputs: [input].flat().filter((text) => typeof text === 'string'),
      model: typeof model === 'string' ? model : undefined,
      dimensions: typeof dimensions === 'number' ? dimensions : undefined,
      encodingFormat: typeof encodingFormat === 'string' ? encodingFormat : undefined,
      status: 'pending' as LoggedStatus,
    };
    this.#entries.push(entry);
    this.#inputs += cost(entry);
    while (this.#inputs > MAX_LOGGED_INPUTS && this.#entries.length > 1) {
      const oldest = this.#entries.shift();
      this.#inputs -= oldest === undefined ? 0 : cost(oldest);
    }
    return entry;
  }
}

/** A request without inputs costs one too, or refused requests could pile up without end. */
function cost({ inputs }: LoggedRequest): number {
  return Math.max(1, inputs.length);
}
