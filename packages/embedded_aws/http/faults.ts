import { setTimeout as wait } from 'node:timers/promises';
import { ConnectionCut } from './server.ts';
import type { ServiceResponse } from './service.ts';

/** Which requests a rule strikes, and how often. Without any of these members, it strikes every request. */
export interface Strikes<Request extends FaultyRequest> {
  /** The requests of this operation only. */
  readonly on?: Request['operation'];
  /** The requests for which this answers true only. It is not asked when an older rule strikes. */
  readonly when?: (request: Request) => boolean;
  /**
   * How many requests that match are answered as usual before the rule begins to strike.
   *
   * @default 0
   */
  readonly skip?: number;
  /**
   * How many requests it strikes, after which the next rule that matches takes its place.
   *
   * @default every one, until the rule is removed
   */
  readonly times?: number;
}

/** What a rule may know of a request; a service adds what its rules need (ids, who asks, the body). */
export interface FaultyRequest {
  readonly operation: string;
}

/**
 * What happens to a request that is struck. `Own` adds the kinds that only one service has; their members have other
 * names than these.
 */
export type Fault<Own extends object = never> =
  | (RefusedFault & AtMoment)
  /** The connection is cut, without an answer. */
  | ({ readonly cut: true } & AtMoment)
  /** No answer until the rule is removed, then the usual one. A caller that gives up before gets none. */
  | ({ readonly hang: true } & AtMoment)
  /** The connection is cut after so many bytes of the answer's body, or at its end if it is shorter. */
  | { readonly cutAfterBytes: number }
  /** The request is performed after so many milliseconds. */
  | { readonly delay: number }
  | Own;

/** An error answer. The service gives it its own form; what is not said here is what the service says itself. */
export interface RefusedFault {
  readonly status: number;
  /** null: an error without a code, where the service would name one. */
  readonly code?: string | null;
  /** Where the service's errors have a type beside the code. */
  readonly type?: string;
  readonly message?: string;
  /** The parameter of the request that the error blames. */
  readonly param?: string;
  /** The header `retry-after`: seconds, or a date in HTTP's form. */
  readonly retryAfter?: number | string;
  /** Sent as it is, instead of the service's own form of an error: what a proxy answers. */
  readonly body?: string;
}

interface AtMoment {
  /**
   * `after`: the request has taken effect, and only its answer is lost.
   *
   * @default 'before'
   */
  readonly moment?: 'before' | 'after';
}

export type FaultRule<Request extends FaultyRequest, Own extends object = never> = Fault<Own> &
  Strikes<Request>;

interface ActiveRule<Request extends FaultyRequest, Own extends object> {
  readonly rule: FaultRule<Request, Own>;
  /** Settles when the rule is removed. */
  readonly removed: Promise<void>;
  toSkip: number;
  remaining: number;
}

/**
 * A service's faults on demand. Of the rules that match a request, the oldest strikes, and no other: rules with `times`
 * that are added one after the other are a script.
 *
 * @example The third upload fails, the fourth loses its answer, all others work:
 * faults.add({ on: 'PutObject', status: 503, skip: 2, times: 1 });
 * faults.add({ on: 'PutObject', cut: true, moment: 'after', times: 1 });
 */
export class Faults<Request extends FaultyRequest, Own extends object = never> {
  #active: ActiveRule<Request, Own>[] = [];
  readonly #refuse: (fault: RefusedFault, request: Request) => ServiceResponse;

  /** @param refuse an error in the service's own form; it may throw what the service throws for one. */
  constructor(refuse: (fault: RefusedFault, request: Request) => ServiceResponse) {
    this.#refuse = refuse;
  }

  /** @returns removes the rule, and lets the requests that hang by it be answered. */
  add(rule: FaultRule<Request, Own>): () => void {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const entry: ActiveRule<Request, Own> = {
      rule,
      removed: promise,
      toSkip: rule.skip ?? 0,
      remaining: rule.times ?? Infinity,
    };
    this.#active.push(entry);
    return () => {
      this.#active = this.#active.filter((other) => other !== entry);
      resolve(undefined);
    };
  }

  /**
   * Answers a request, or fails it as the rule that strikes it says.
   *
   * @param handle performs the request.
   * @param own performs it under a fault of the service's own kinds.
   * @throws ConnectionCut, and what `refuse` throws.
   */
  async perform(
    request: Request,
    handle: () => ServiceResponse | Promise<ServiceResponse>,
    ...[own]: [Own] extends [never] ? [] : [(fault: Own) => Promise<ServiceResponse>]
  ): Promise<ServiceResponse> {
    const struck = this.#strike(request);
    if (struck === undefined) return await handle();
    const fault: object = struck.rule;
    if (!isCommon(fault)) return await (own as (fault: object) => Promise<ServiceResponse>)(fault);
    if ('delay' in fault) {
      await wait(fault.delay, undefined, { ref: false });
      return await handle();
    }
    if ('cutAfterBytes' in fault) return cutShort(await handle(), fault.cutAfterBytes);
    const done = fault.moment === 'after' ? await handle() : undefined;
    if ('cut' in fault) throw new ConnectionCut();
    if ('status' in fault) {
      return fault.body === undefined
        ? this.#refuse(fault, request)
        : { status: fault.status, headers: retryAfterHeader(fault), body: fault.body };
    }
    await struck.removed;
    return done ?? (await handle());
  }

  #strike(request: Request): ActiveRule<Request, Own> | undefined {
    return this.#active.find((entry) => {
      const { on, when } = entry.rule as Strikes<Request>;
      if (entry.remaining <= 0) return false;
      if (on !== undefined && on !== request.operation) return false;
      if (when !== undefined && !when(request)) return false;
      if (entry.toSkip > 0) {
        entry.toSkip--;
        return false;
      }
      entry.remaining--;
      return true;
    });
  }
}

/** The header `retry-after` of an error, if it has one. */
export function retryAfterHeader({ retryAfter }: RefusedFault): Readonly<Record<string, string>> {
  return retryAfter === undefined ? {} : { 'retry-after': `${retryAfter}` };
}

function isCommon(fault: object): fault is Fault {
  return ['status', 'cut', 'hang', 'cutAfterBytes', 'delay'].some((member) => member in fault);
}

function cutShort(response: ServiceResponse, length: number): ServiceResponse {
  const body = response.body ?? '';
  const chunks = typeof body === 'string' || Buffer.isBuffer(body) ? [Buffer.from(body)] : body;
  return { ...response, body: beginningOf(chunks, length) };
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
