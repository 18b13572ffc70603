import { ConnectionCut } from 'embedded-aws/http/server';
import type { ServiceResponse } from 'embedded-aws/http/service';
import { ApiError } from './api_error.ts';
import { FaultRules, type Strikes } from './faults.ts';
import { requestLimitReached, serverError } from './rate_limits.ts';

/** The requests to the Files and Batches API, by the names of the client's methods. */
export type Operation =
  | 'files.create'
  | 'files.retrieve'
  | 'files.content'
  | 'files.delete'
  | 'batches.create'
  | 'batches.retrieve'
  | 'batches.list'
  | 'batches.cancel';

/** What a rule may know of a request. */
export interface OperationRequest {
  readonly operation: Operation;
  /** Of the file or batch in the path; for `batches.create`, of the input file; "" where there is none. */
  readonly id: string;
  /** For `batches.create`. */
  readonly metadata?: unknown;
}

/** One way in which the Files and Batches API fails its callers. */
export type OperationFault = { readonly on: Operation } & (
  | (RefusedFault & Moment)
  /** The connection is cut, without an answer. */
  | ({ readonly cut: true } & Moment)
  /** No answer until the rule is removed, then the ordinary one. A caller that gives up sooner gets none. */
  | ({ readonly hang: true } & Moment)
  /** The answer's body is cut after so many bytes, or at its end if it is shorter. */
  | { readonly cutAfterBytes: number }
);

interface RefusedFault {
  /** 429 and 5xx come with OpenAI's own error, every other status with `message`, `code` and `param`. */
  readonly status: number;
  /** Seconds, sent as the header `retry-after`. */
  readonly retryAfter?: number;
  readonly message?: string;
  readonly code?: string;
  readonly param?: string;
}

interface Moment {
  /**
   * `after`: the request has taken effect (the file is stored, the batch is created), and only its answer is lost.
   *
   * @default 'before'
   */
  readonly moment?: 'before' | 'after';
}

export type OperationFaultRule = OperationFault & Strikes<OperationRequest>;

/** The way of every request to the Files and Batches API: counted, and struck by the rule that matches, if any. */
export class OperationFaults {
  readonly #rules = new FaultRules<OperationFault, OperationRequest>();
  readonly #received = new Map<Operation, number>();

  /** How many requests came, those that failed too. */
  get received(): ReadonlyMap<Operation, number> {
    return new Map(this.#received);
  }

  /** @returns removes the rule, and lets the requests that hang by it be answered. */
  add(rule: OperationFaultRule): () => void {
    const { when } = rule;
    return this.#rules.add({
      ...rule,
      when: (request) => request.operation === rule.on && (when?.(request) ?? true),
    });
  }

  /** @throws ApiError for an answer that is an error, ConnectionCut for none at all. */
  async perform(
    request: OperationRequest,
    handle: () => ServiceResponse,
  ): Promise<ServiceResponse> {
    const { operation } = request;
    this.#received.set(operation, (this.#received.get(operation) ?? 0) + 1);
    const struck = this.#rules.strike(request);
    if (struck === undefined) return handle();
    const { fault, removed } = struck;
    if ('cutAfterBytes' in fault) return cutShort(handle(), fault.cutAfterBytes);
    const done = fault.moment === 'after' ? handle() : undefined;
    if ('cut' in fault) throw new ConnectionCut();
    if ('status' in fault) throw refusal(fault);
    await removed;
    return done ?? handle();
  }
}

function refusal(fault: RefusedFault): ApiError {
  const { status, retryAfter, message, code, param } = fault;
  if (status === 429 && code === undefined) return requestLimitReached(retryAfter);
  if (status >= 500) return serverError(status, retryAfter);
  return new ApiError(
    status,
    {
      message: message ?? `Refused with ${status}.`,
      type: 'invalid_request_error',
      param: param ?? null,
      code: code ?? null,
    },
    retryAfter === undefined ? {} : { 'retry-after': `${retryAfter}` },
  );
}

function cutShort(response: ServiceResponse, length: number): ServiceResponse {
  return { ...response, body: beginningOf(chunksOf(response.body ?? ''), length) };
}

function chunksOf(body: Buffer | string | Iterable<Buffer>): Iterable<Buffer> {
  if (typeof body === 'string') return [Buffer.from(body)];
  return Buffer.isBuffer(body) ? [body] : body;
}

function* beginningOf(chunks: Iterable<Buffer>, length: number): Generator<Buffer> {
  let left = length;
  for (const chunk of chunks) {
    if (left > 0) yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) break;
  }
  throw new ConnectionCut();
}
