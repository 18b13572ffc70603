import { setTimeout } from 'node:timers/promises';
import type { Service, ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import { ApiError } from './api_error.ts';
import { authenticate } from './authentication.ts';
import { BatchApi, type BatchUsage } from './batch_api.ts';
import type { BatchOptions } from './batches/batch_options.ts';
import type { Batches } from './batches/batches.ts';
import { listModels } from './embedding_models.ts';
import { EmbeddingsEndpoint, type Usage } from './embeddings_endpoint.ts';
import type { FaultRule } from './faults.ts';
import type { Operation, OperationFaultRule } from './operation_faults.ts';
import type { LoggedRequest } from './request_log.ts';
import { findRoute, type Route } from './routing.ts';

export type { BatchUsage } from './batch_api.ts';
export type { BatchOptions } from './batches/batch_options.ts';
export type { BatchView } from './batches/scripts_in_force.ts';
export type { BatchError, BatchScript, BatchState, RowOutcome } from './batches/batch_script.ts';
export type { Usage } from './embeddings_endpoint.ts';
export type { Fault, FaultRule } from './faults.ts';
export type {
  Operation,
  OperationFault,
  OperationFaultRule,
  OperationRequest,
} from './operation_faults.ts';
export type { LoggedRequest } from './request_log.ts';

export interface OpenAIStandInOptions {
  /** How long an embeddings request takes to be answered with 200, in milliseconds. Errors come at once. */
  readonly latencyMs: number;
  /** The only API key that is good. @default every key is */
  readonly apiKey?: string;
  /** @default Node's timer */
  readonly sleep?: (ms: number) => Promise<void>;
  /** How the Batch API behaves. @default every batch is done at once, and goes well */
  readonly batches?: BatchOptions;
}

/** How tests steer batches: see each method of `Batches`. */
export type BatchSteering = Pick<Batches, 'script' | 'advance' | 'list' | 'linesDownloaded'>;

/**
 * OpenAI's embeddings, Files and Batch API on this machine: their requests, answers, limits and errors, with vectors that
 * need no model and faults on demand. Everything is in memory; two of them know nothing of each other.
 */
export class OpenAIStandIn {
  readonly #embeddings: EmbeddingsEndpoint;
  readonly #batchApi: BatchApi;
  readonly #routes: readonly Route[];
  readonly #apiKey: string | undefined;
  readonly #latencyMs: number;
  #answered = 0;

  constructor(options: OpenAIStandInOptions) {
    const { latencyMs, apiKey, sleep = (ms: number) => setTimeout(ms), batches = {} } = options;
    this.#latencyMs = latencyMs;
    this.#apiKey = apiKey;
    const embeddings = new EmbeddingsEndpoint(() => sleep(latencyMs));
    this.#embeddings = embeddings;
    this.#batchApi = new BatchApi(batches);
    this.#routes = [
      { method: 'POST', path: '/v1/embeddings', answer: (request) => embeddings.answer(request) },
      { method: 'GET', path: '/v1/models', answer: listModels },
      ...this.#batchApi.routes,
    ];
  }

  /** What embeddings requests were answered with 200 since the beginning. Batches are counted apart. */
  get usage(): Usage {
    return this.#embeddings.usage;
  }

  /** The latest embeddings requests with a JSON body and a good key, oldest first, up to 10,000 inputs together. */
  get requests(): readonly LoggedRequest[] {
    return this.#embeddings.log.requests;
  }

  /** What was uploaded, created and embedded through the Batch API since the beginning. */
  get batchUsage(): BatchUsage {
    return this.#batchApi.usage;
  }

  /** How many requests to the Files and Batches API came with a good key, those that failed too. */
  get batchRequests(): ReadonlyMap<Operation, number> {
    return this.#batchApi.faults.received;
  }

  get batches(): BatchSteering {
    return this.#batchApi.batches;
  }

  /**
   * Makes requests fail from now on: those to the Files or Batches API that the rule names (`on`), else embeddings.
   *
   * @returns removes the rule, and lets the requests that hang by it be answered.
   */
  fault(rule: FaultRule | OperationFaultRule): () => void {
    return strikesEmbeddings(rule)
      ? this.#embeddings.faults.add(rule)
      : this.#batchApi.faults.add(rule);
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
      const answer = findRoute(this.#routes, request);
      authenticate(request.headers, this.#apiKey);
      return await answer();
    } catch (error) {
      if (error instanceof ApiError) return error.toResponse();
      throw error;
    }
  }
}

function strikesEmbeddings(rule: FaultRule | OperationFaultRule): rule is FaultRule {
  return rule.on === undefined || rule.on === 'embeddings.create';
}
