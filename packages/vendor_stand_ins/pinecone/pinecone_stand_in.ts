import {
  type FaultRule as CommonFaultRule,
  Faults,
  type RefusedFault,
  retryAfterHeader,
} from 'embedded-aws/http/faults';
import type { Service, ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import {
  answered,
  isJsonObject,
  jsonAnswer,
  type JsonObject,
  logged,
  type LoggedStatus,
  parseJsonObject,
} from '../answers.ts';
import { controlPlaneError, OPERATIONS, type PineconeOperation } from './operations.ts';
import { dataPlaneError, invalidArgument, VectorIndex } from './vector_index.ts';

export interface PineconeStandInOptions {
  readonly indexName: string;
  readonly dimension: number;
  /** The only API key that is good. @default every key is */
  readonly apiKey?: string;
  /** false keeps ids and metadata only: a benchmark's index fits into memory, and a query finds nothing. @default true */
  readonly keepVectors?: boolean;
}

/** What a rule may know of a request. */
export interface PineconeRequest {
  readonly operation: PineconeOperation;
  /** As the request names it; undefined where it names none. */
  readonly namespace: string | undefined;
  /** Of an upsert's records. */
  readonly ids: readonly string[];
}

/**
 * How Pinecone fails its callers, and which requests: those with a good key. An error with a `code` has the form of the
 * control plane, one without it the form of the data plane.
 *
 * @example { on: 'upsert', status: 429, retryAfter: 2, times: 1 }
 * @example { cut: true, moment: 'after', when: ({ namespace }) => namespace === 'words' }
 */
export type FaultRule = CommonFaultRule<PineconeRequest>;

/** An upsert request as it came in. */
export interface LoggedUpsert {
  readonly namespace: string | undefined;
  /** How many records it has. */
  readonly ids: number;
  /** Of its body. */
  readonly bytes: number;
  readonly status: LoggedStatus;
}

/** What was upserted: requests that took effect, and the records in them, whether their answer arrived or not. */
export interface Usage {
  readonly requests: number;
  readonly vectors: number;
}

/**
 * One Pinecone index (dense, cosine) on this machine: its data plane, its limits and errors, the look-up of its host by
 * its name, and faults on demand. Everything is in memory; two stand-ins know nothing of each other.
 *
 * @example
 * const pinecone = new PineconeStandIn({ indexName: 'receipts', dimension: 1536 });
 * const { url } = await serve(pinecone.handle, 0);
 * const index = new Pinecone({ apiKey: 'any' }).index({ host: url });
 */
export class PineconeStandIn {
  readonly #options: PineconeStandInOptions;
  readonly #index = new VectorIndex();
  readonly #faults = new Faults<PineconeRequest>(refuse);
  readonly #upserts: LoggedUpsert[] = [];
  #usage: Usage = { requests: 0, vectors: 0 };
  #answered = 0;

  constructor(options: PineconeStandInOptions) {
    this.#options = options;
  }

  /** What was upserted since the beginning. */
  get usage(): Usage {
    return this.#usage;
  }

  /** The latest upsert requests that could be read, oldest first, up to 10,000. */
  get upserts(): readonly LoggedUpsert[] {
    return this.#upserts.map((entry) => ({ ...entry }));
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
    const { apiKey } = this.#options;
    const key = request.headers['api-key'];
    const good = apiKey === undefined ? key !== undefined && key !== '' : key === apiKey;
    const response = good ? await answered(() => this.#answer(request)) : UNAUTHORIZED;
    return { ...response, headers: { 'x-pinecone-request-id': id, ...response.headers } };
  };

  async #answer(request: ServiceRequest): Promise<ServiceResponse> {
    const operation = operationOf(request);
    const body = request.method === 'POST' ? parseBody(request.body) : {};
    const about = describeRequest(operation, request, body);
    const perform = (): Promise<ServiceResponse> =>
      this.#faults.perform(about, () => {
        const settings = { keepVectors: true, ...this.#options };
        const answer = OPERATIONS[operation]({ index: this.#index, settings, request, body });
        if (operation === 'upsert') this.#countUpsert(about.ids.length);
        return jsonAnswer(answer);
      });
    if (operation !== 'upsert') return await perform();
    return await logged(this.#logUpsert(about, request.body.length), perform);
  }

  #logUpsert({ namespace, ids }: PineconeRequest, bytes: number): { status: LoggedStatus } {
    const entry = { namespace, ids: ids.length, bytes, status: 'pending' as LoggedStatus };
    this.#upserts.push(entry);
    if (this.#upserts.length > 10_000) this.#upserts.shift();
    return entry;
  }

  #countUpsert(vectors: number): void {
    const { requests, vectors: before } = this.#usage;
    this.#usage = { requests: requests + 1, vectors: before + vectors };
  }
}

/** A key that is missing or wrong: plain text, as Pinecone answers it before anything else. */
const UNAUTHORIZED: ServiceResponse = {
  status: 401,
  headers: { 'content-type': 'text/plain', 'x-pinecone-auth-rejected-reason': 'Wrong API key' },
  body: 'Unauthorized',
};

const ROUTES: Readonly<Record<string, PineconeOperation>> = {
  'POST /vectors/upsert': 'upsert',
  'POST /vectors/delete': 'delete',
  'GET /vectors/fetch': 'fetch',
  'GET /vectors/list': 'list',
  'POST /query': 'query',
  'POST /describe_index_stats': 'stats',
};

/** @throws ApiError 404 for what this stand-in, or Pinecone, doesn't know. */
function operationOf({ method, path }: ServiceRequest): PineconeOperation {
  const operation = ROUTES[`${method} ${path}`];
  if (operation !== undefined) return operation;
  if (method === 'GET' && path.startsWith('/indexes/')) return 'describe_index';
  throw dataPlaneError(404, `no such operation: ${method} ${path}`);
}

/** @throws ApiError 400 for a body that is not a JSON object. */
function parseBody(body: Buffer): JsonObject {
  const parsed = parseJsonObject(body);
  if (parsed === undefined) throw invalidArgument('the request body is not a JSON object');
  return parsed;
}

/** A request as faults and the log see it: whatever is in it, good or not. */
function describeRequest(
  operation: PineconeOperation,
  { query }: ServiceRequest,
  { namespace = query.get('namespace'), vectors }: JsonObject,
): PineconeRequest {
  return {
    operation,
    namespace: typeof namespace === 'string' ? namespace : undefined,
    ids: Array.isArray(vectors) ? vectors.map(idOf) : [],
  };
}

function idOf(vector: unknown): string {
  const id = isJsonObject(vector) ? vector['id'] : undefined;
  return typeof id === 'string' ? id : '';
}

function refuse(fault: RefusedFault): never {
  const { status, code, message = usualMessage(status) } = fault;
  const headers = retryAfterHeader(fault);
  throw code == null
    ? dataPlaneError(status, message, headers)
    : controlPlaneError(status, code, message, headers);
}

function usualMessage(status: number): string {
  if (status === 429) return 'Too many requests: the upsert limit of the namespace is reached';
  return status >= 500 ? 'the service is temporarily unavailable' : `Refused with ${status}.`;
}
