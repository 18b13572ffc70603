import { setTimeout } from 'node:timers/promises';
import { ConnectionCut } from 'embedded-aws/http/server';
import type { Service, ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import { ApiError, UNAUTHORIZED } from './api_error.ts';
import { failBefore, type FaultRule, FaultRules, type PineconeOperation } from './faults.ts';
import { parseBody } from './json_body.ts';
import { type OperationContext, perform } from './operations.ts';
import { describeOperation, operationNameOf } from './routing.ts';
import { type LoggedUpsert, UpsertLog, type Usage } from './upsert_log.ts';
import { VectorIndex } from './vector_index.ts';

export type { Fault, FaultRule, PineconeOperation } from './faults.ts';
export type { LoggedUpsert, Usage } from './upsert_log.ts';

export interface PineconeStandInOptions {
  readonly indexName: string;
  readonly dimension: number;
  /** The only API key that is good. @default every key is */
  readonly apiKey?: string;
  /** How long a request takes to be answered with 200, in milliseconds. Errors come at once. @default 0 */
  readonly latencyMs?: number;
  /** false keeps ids and metadata only: a benchmark's index fits into memory, and a query finds nothing. @default true */
  readonly keepVectors?: boolean;
  /** @default Node's timer */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/**
 * One Pinecone index (dense, cosine) on this machine: its data plane, its limits and errors, the look-up of its host by
 * its name, and faults on demand. Everything is in memory; two of them know nothing of each other.
 */
export class PineconeStandIn {
  readonly #options: PineconeStandInOptions;
  readonly #index = new VectorIndex();
  readonly #faults = new FaultRules();
  readonly #log = new UpsertLog();
  readonly #context: OperationContext;
  #answered = 0;

  constructor(options: PineconeStandInOptions) {
    this.#options = options;
    this.#context = {
      index: this.#index,
      log: this.#log,
      settings: { keepVectors: true, ...options },
    };
  }

  /** What was upserted since the beginning. */
  get usage(): Usage {
    return this.#log.usage;
  }

  /** The latest upsert requests that could be read, oldest first, up to 10,000. */
  get upserts(): readonly LoggedUpsert[] {
    return this.#log.upserts;
  }

  /** How many vectors each namespace holds. */
  get counts(): ReadonlyMap<string, number> {
    return this.#index.counts();
  }

  /**
   * Makes requests fail from now on.
   *
   * @returns removes the rule, and lets the requests that hang by it be answered.
   */
  fault(rule: FaultRule): () => void {
    return this.#faults.add(rule);
  }

  /** @throws ConnectionCut where a fault cuts the connection; every other failure is an answer. */
  readonly handle: Service = async (request) => {
    this.#answered += 1;
    const id = `${this.#answered}`;
    const response = await this.#answer(request);
    return {
      ...response,
      headers: { 'x-pinecone-request-id': id, ...response.headers },
    };
  };

  async #answer(request: ServiceRequest): Promise<ServiceResponse> {
    const { apiKey } = this.#options;
    const key = request.headers['api-key'];
    if (typeof key !== 'string' || key === '' || (apiKey !== undefined && key !== apiKey)) {
      return UNAUTHORIZED;
    }
    try {
      const name = operationNameOf(request);
      const body = request.method === 'POST' ? parseBody(request.body) : {};
      const operation = describeOperation(name, body, request.query);
      const setStatus =
        name === 'upsert' ? this.#log.open(operation, request.body.length) : () => undefined;
      return await this.#undergo(
        operation,
        () => perform(this.#context, name, body, request),
        setStatus,
      );
    } catch (error) {
      if (error instanceof ApiError) return error.toResponse();
      throw error;
    }
  }

  /** The operation, with the fault that strikes it, if any. */
  async #undergo(
    operation: PineconeOperation,
    perform: () => ServiceResponse,
    setStatus: (status: LoggedUpsert['status']) => void,
  ): Promise<ServiceResponse> {
    try {
      const struck = this.#faults.strike(operation);
      if (struck !== undefined) failBefore(struck.fault);
      if (struck !== undefined && 'hang' in struck.fault) await struck.removed;
      const response = perform();
      if (struck !== undefined && 'cut' in struck.fault) throw new ConnectionCut();
      const { latencyMs = 0, sleep = setTimeout } = this.#options;
      if (latencyMs > 0) await sleep(latencyMs);
      setStatus(response.status);
      return response;
    } catch (error) {
      if (error instanceof ApiError) setStatus(error.status);
      if (error instanceof ConnectionCut) setStatus('cut');
      throw error;
    }
  }
}
