import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { Faults } from 'embedded-aws/http/faults';
import type { Service, ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import { answered, parseJsonObject } from '../answers.ts';
import type { BatchOptions } from './batch_script.ts';
import { Batches, type BatchTotals } from './batches.ts';
import { BatchesEndpoint } from './batches_endpoint.ts';
import { EmbeddingsEndpoint, type LoggedRequest, type Usage } from './embeddings.ts';
import { invalidRequest, refusal } from './errors.ts';
import type { Distortion, FaultRule, OpenAIRequest, Operation } from './faults.ts';
import { Files } from './files.ts';

export interface OpenAIStandInOptions {
  /** How long an embeddings request takes to be answered with 200, in milliseconds. Errors come at once. */
  readonly latencyMs: number;
  /** The only API key that is good. @default every key is */
  readonly apiKey?: string;
  /** How the Batch API behaves. @default every batch is done at once, and goes well */
  readonly batches?: BatchOptions;
}

/** How tests steer batches: see each method of `Batches`. */
export type BatchSteering = Pick<Batches, 'script' | 'advance' | 'list' | 'embeddedIn'>;

/** What the batches and their files have come to. */
export interface BatchUsage extends BatchTotals {
  /** Uploaded. */
  readonly files: number;
}

/**
 * OpenAI's embeddings, Files and Batch API on this machine: their requests, answers, limits and errors, with vectors that
 * need no model and faults on demand. Everything is in memory; two stand-ins know nothing of each other.
 *
 * @example
 * const openai = new OpenAIStandIn({ latencyMs: 0 });
 * const { url } = await serve(openai.handle, 0);
 * const client = new OpenAI({ apiKey: 'sk-any', baseURL: `${url}/v1` });
 */
export class OpenAIStandIn {
  readonly #faults = new Faults<OpenAIRequest, Distortion>((fault) => {
    throw refusal(fault);
  });
  readonly #embeddings: EmbeddingsEndpoint;
  readonly #files: Files;
  readonly #batches: Batches;
  readonly #batchesEndpoint: BatchesEndpoint;
  readonly #batchRequests = new Map<Operation, number>();
  readonly #apiKey: string | undefined;
  readonly #latencyMs: number;
  #answered = 0;

  constructor({ latencyMs, apiKey, batches = {} }: OpenAIStandInOptions) {
    this.#latencyMs = latencyMs;
    this.#apiKey = apiKey;
    // Whoever closes the server does not wait for answers that nobody hears any more.
    const wait = async (): Promise<void> => {
      if (latencyMs > 0) await setTimeout(latencyMs, undefined, { ref: false });
    };
    this.#embeddings = new EmbeddingsEndpoint(this.#faults, wait);
    this.#files = new Files(batches.clock ?? (() => new Date()));
    this.#batches = new Batches(this.#files, batches);
    this.#batchesEndpoint = new BatchesEndpoint(this.#batches);
  }

  /** What embeddings requests were answered with 200 since the beginning. Batches are counted apart. */
  get usage(): Usage {
    return this.#embeddings.usage;
  }

  /** The latest embeddings requests with a JSON body and a good key, oldest first, up to 10,000 inputs together. */
  get requests(): readonly LoggedRequest[] {
    return this.#embeddings.requests;
  }

  /** What was uploaded, created and embedded through the Batch API since the beginning. */
  get batchUsage(): BatchUsage {
    return { files: this.#files.uploads, ...this.#batches.totals };
  }

  /** How many requests to the Files and Batches API came with a good key, those that failed too. */
  get batchRequests(): ReadonlyMap<Operation, number> {
    return new Map(this.#batchRequests);
  }

  get batches(): BatchSteering {
    return this.#batches;
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
    const id = `req_${this.#answered.toString(16).padStart(32, '0')}`;
    const response = await answered(async () => {
      const [operation, inPath] = operationOf(request);
      authenticate(request.headers, this.#apiKey);
      if (operation === 'embeddings.create') return await this.#embeddings.answer(request);
      return await this.#answerBatches(operation, inPath, request);
    });
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

  async #answerBatches(
    operation: Exclude<Operation, 'embeddings.create'>,
    id: string,
    request: ServiceRequest,
  ): Promise<ServiceResponse> {
    this.#batchRequests.set(operation, (this.#batchRequests.get(operation) ?? 0) + 1);
    const handlers: Record<typeof operation, () => ServiceResponse | Promise<ServiceResponse>> = {
      'files.create': () => this.#files.create(request),
      'files.retrieve': () => this.#files.retrieve(id),
      'files.content': () => this.#files.content(id),
      'files.delete': () => this.#files.delete(id),
      'batches.create': () => this.#batchesEndpoint.create(request),
      'batches.retrieve': () => this.#batchesEndpoint.retrieve(id),
      'batches.list': () => this.#batchesEndpoint.list(request),
    };
    const handle = handlers[operation];
    const about = { operation, inputs: [], id };
    return await this.#faults.perform(
      operation === 'batches.create' ? { ...about, ...aboutNewBatch(request) } : about,
      handle,
      async () => await handle(),
    );
  }
}

function aboutNewBatch({ body }: ServiceRequest): Pick<OpenAIRequest, 'id' | 'metadata'> {
  const { input_file_id: id, metadata } = parseJsonObject(body) ?? {};
  return { id: typeof id === 'string' ? id : '', metadata };
}

/** `ID` stands for one segment of any content. */
const ROUTES: Readonly<Record<Operation, RegExp>> = {
  'embeddings.create': route('POST /v1/embeddings'),
  'files.create': route('POST /v1/files'),
  'files.retrieve': route('GET /v1/files/ID'),
  'files.content': route('GET /v1/files/ID/content'),
  'files.delete': route('DELETE /v1/files/ID'),
  'batches.create': route('POST /v1/batches'),
  'batches.retrieve': route('GET /v1/batches/ID'),
  'batches.list': route('GET /v1/batches'),
};

function route(methodAndPath: string): RegExp {
  return new RegExp(`^${methodAndPath.replace('ID', '([^/]+)')}$`);
}

/**
 * @returns the operation, and the id in its path: "" in a path without one.
 * @throws ApiError 404 for a request that this stand-in does not know.
 */
function operationOf({ method, path }: ServiceRequest): [Operation, string] {
  for (const [operation, pattern] of Object.entries(ROUTES)) {
    const match = pattern.exec(`${method} ${path}`);
    // The ids that this stand-in gives need no encoding, so one with a percent sign is unknown as it is.
    if (match !== null) return [operation as Operation, match[1] ?? ''];
  }
  throw invalidRequest(`Invalid URL (${method} ${path})`, { status: 404 });
}

/** @throws ApiError 401 without a key in `Authorization: Bearer …`, or with another than the valid one. */
function authenticate(headers: IncomingHttpHeaders, validApiKey: string | undefined): void {
  const key = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (key === undefined) {
    throw invalidRequest(
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
      { status: 401 },
    );
  }
  if (validApiKey !== undefined && key !== validApiKey) {
    throw invalidRequest(`Incorrect API key provided: ${mask(key)}.`, {
      status: 401,
      code: 'invalid_api_key',
    });
  }
}

/** As OpenAI shows a key in its errors; a key too short to hide is hidden whole. */
function mask(key: string): string {
  return key.length < 16 ? '*'.repeat(key.length) : `${key.slice(0, 7)}****${key.slice(-4)}`;
}
