import { setTimeout } from 'node:timers/promises';
import type { Service, ServiceRequest, ServiceResponse } from '../http/service.ts';
import { ApiError } from './api_error.ts';
import { authenticate } from './authentication.ts';
import { listModels } from './embedding_models.ts';
import { EmbeddingsEndpoint, type Usage } from './embeddings_endpoint.ts';
import type { FaultRule } from './faults.ts';
import type { LoggedRequest } from './request_log.ts';
import { findRoute, type Route } from './routing.ts';

export type { Usage } from './embeddings_endpoint.ts';
export type { Fault, FaultRule } from './faults.ts';
export type { LoggedRequest } from './request_log.ts';

export interface OpenAIStandInOptions {
  /** How long an embeddings request takes to be answered with 200, in milliseconds. Errors come at once. */
  readonly latencyMs: number;
  /** The only API key that is good. @default every key is */
  readonly apiKey?: string;
  /** @default Node's timer */
  readonly sleep?: (ms: number) => Promise<void>;
}

/**
 * OpenAI's embeddings API on this machine: its requests, answers, limits and errors, with vectors that need no model
 * and faults on demand. Everything is in memory; two of them know nothing of each other.
 */
export class OpenAIStandIn {
  readonly #embeddings: EmbeddingsEndpoint;
  readonly #routes: readonly Route[];
  readonly #apiKey: string | undefined;
  readonly #latencyMs: number;
  #answered = 0;

  constructor({ latencyMs, apiKey, sleep = (ms) => setTimeout(ms) }: OpenAIStandInOptions) {
    this.#latencyMs = latencyMs;
    this.#apiKey = apiKey;
    const embeddings = new EmbeddingsEndpoint(() => sleep(latencyMs));
    this.#embeddings = embeddings;
    this.#routes = [
      { method: 'POST', path: '/v1/embeddings', answer: (request) => embeddings.answer(request) },
      { method: 'GET', path: '/v1/models', answer: listModels },
    ];
  }

  /** What was answered with 200 since the beginning. */
  get usage(): Usage {
    return this.#embeddings.usage;
  }

  /** The latest embeddings requests with a JSON body and a good key, oldest first, up to 10,000 inputs together. */
  get requests(): readonly LoggedRequest[] {
    return this.#embeddings.log.requests;
  }

  /**
   * Makes embeddings requests fail from now on.
   *
   * @returns removes the rule, and lets the requests that hang by it be answered.
   */
  fault(rule: FaultRule): () => void {
    return this.#embeddings.faults.add(rule);
  }

  /** @throws ConnectionCut where a fault cuts the connection; every other failure is an answer. */
  readonly handle: Service = async (request) => {
    this.#answered += 1;
    const id = `req_${this.#answered.toString(16).padStart(32, '0')}`;
    const response = await this.#answer(request);
    return {
      ...response,
      headers: {
        'x-request-id': id,
        'openai-version': '2020-10-01',
        'openai-processing-ms': `${this.#latencyMs}`,
        ...response.headers,
      },
    };
  };

  async #answer(request: ServiceRequest): Promise<ServiceResponse> {
    try {
      const route = findRoute(this.#routes, request);
      authenticate(request.headers, this.#apiKey);
      return await route.answer(request);
    } catch (error) {
      if (error instanceof ApiError) return error.toResponse();
      throw error;
    }
  }
}
