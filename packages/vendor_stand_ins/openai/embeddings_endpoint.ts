import { ConnectionCut } from 'embedded-aws/http/server';
import type { ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import { ApiError } from './api_error.ts';
import { answerOf, type IndexedVector } from './embedding_answer.ts';
import { type EmbeddingRequest, parseBody, validate } from './embedding_request.ts';
import { type Fault, FaultRules, type StruckFault } from './faults.ts';
import { quotaExhausted, rateLimited, rateLimitHeaders, serverError } from './rate_limits.ts';
import { RequestLog } from './request_log.ts';
import { embedText } from './text_embedding.ts';

/** What was answered with 200. */
export interface Usage {
  readonly requests: number;
  readonly inputs: number;
  readonly tokens: number;
}

/** `POST /v1/embeddings`. */
export class EmbeddingsEndpoint {
  readonly faults = new FaultRules();
  readonly log = new RequestLog(10_000);
  readonly #wait: () => Promise<void>;
  #usage: Usage = { requests: 0, inputs: 0, tokens: 0 };

  /** @param wait settles after the time that OpenAI takes to answer. */
  constructor(wait: () => Promise<void>) {
    this.#wait = wait;
  }

  get usage(): Usage {
    return this.#usage;
  }

  /** @throws ApiError for an answer that is an error, ConnectionCut for none at all. */
  async answer(request: ServiceRequest): Promise<ServiceResponse> {
    const body = parseBody(request.body);
    const setStatus = this.log.open(body);
    try {
      const valid = validate(body);
      const struck = this.faults.strike(valid.inputs);
      const distortion = struck && (await this.#undergo(struck, valid));
      await this.#wait();
      const response = this.#embed(valid, distortion);
      setStatus(response.status);
      return response;
    } catch (error) {
      if (error instanceof ApiError) setStatus(error.status);
      if (error instanceof ConnectionCut) setStatus('cut');
      throw error;
    }
  }

  /** @returns the fault, if it is one that distorts the answer. */
  async #undergo(
    { fault, removed }: StruckFault,
    request: EmbeddingRequest,
  ): Promise<Distortion | undefined> {
    if ('cut' in fault) throw new ConnectionCut();
    if ('status' in fault) throw errorOf(fault, request);
    if (!('hang' in fault)) return fault;
    await removed;
    return undefined;
  }

  #embed(request: EmbeddingRequest, distortion: Distortion | undefined): ServiceResponse {
    const { inputs, tokens, model } = request;
    const dimensions =
      distortion && 'wrongDimension' in distortion ? distortion.wrongDimension : request.dimensions;
    const vectors = inputs.map((text, index) => ({ index, vector: embedText(text, dimensions) }));
    const body = answerOf(request, distortion ? distort(vectors, distortion) : vectors);
    this.#usage = {
      requests: this.#usage.requests + 1,
      inputs: this.#usage.inputs + inputs.length,
      tokens: this.#usage.tokens + tokens,
    };
    return {
      status: 200,
      headers: {
        'content-type': 'application/json',
        'openai-model': model.id,
        ...rateLimitHeaders(tokens),
      },
      body,
    };
  }
}

type StatusFault = Extract<Fault, { status: number }>;
type Distortion = Exclude<Fault, StatusFault | { cut: true } | { hang: true }>;

function errorOf(fault: StatusFault, request: EmbeddingRequest): ApiError {
  if (fault.status !== 429) return serverError(fault.status);
  if (fault.code === 'insufficient_quota') return quotaExhausted(fault.retryAfter);
  return rateLimited(request.model.id, request.tokens, fault.retryAfter);
}

function distort(vectors: readonly IndexedVector[], fault: Distortion): readonly IndexedVector[] {
  if ('shuffle' in fault) return vectors.toReversed();
  if ('nanVector' in fault) {
    return vectors.map((item, i) =>
      i === 0 ? { ...item, vector: new Float32Array(item.vector.length).fill(NaN) } : item,
    );
  }
  if ('wrongCount' in fault) {
    if (fault.wrongCount === -1) return vectors.slice(0, -1);
    return [...vectors, ...vectors.slice(-1).map((last) => ({ ...last, index: last.index + 1 }))];
  }
  // The vectors of another length were made as such.
  fault satisfies { readonly wrongDimension: number };
  return vectors;
}
