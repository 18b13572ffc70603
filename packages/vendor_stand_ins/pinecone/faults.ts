import { ConnectionCut } from 'embedded-aws/http/server';
import { ApiError } from './api_error.ts';

/** What a request asks of the index. */
export interface PineconeOperation {
  readonly name: 'upsert' | 'query' | 'fetch' | 'list' | 'delete' | 'stats' | 'describe_index';
  /** As the request names it; undefined where it names none, or where the body can't be read. */
  readonly namespace: string | undefined;
  /** Of an upsert's records. */
  readonly ids: readonly string[];
}

/** One way in which Pinecone fails its callers. */
export type Fault =
  | {
      readonly status: 429;
      /** The header `retry-after`: seconds, or a date in HTTP's form. */
      readonly retryAfter?: number | string;
      /** @default that of a rate limit */
      readonly message?: string;
    }
  | { readonly status: 500 | 502 | 503 | 504; readonly retryAfter?: number | string }
  /** The connection is cut, without an answer: before anything was done, or after, so that only the answer is lost. */
  | { readonly cut: 'before' | 'after' }
  /** No answer until the rule is removed, then the ordinary one. A caller that gives up sooner gets none. */
  | { readonly hang: true };

/** A fault, and the requests that it strikes: the next `times` with a good key that match. */
export type FaultRule = Fault & {
  /** @default every one, until the rule is removed */
  readonly times?: number;
  /** @default any operation */
  readonly when?: (operation: PineconeOperation) => boolean;
};

/** A fault that strikes one request. */
export interface StruckFault {
  readonly fault: Fault;
  /** Settles when the rule is removed. */
  readonly removed: Promise<void>;
}

interface ActiveRule extends StruckFault {
  readonly rule: FaultRule;
  remaining: number;
}

/** The rules in force: the oldest that matches strikes, and no other. */
export class FaultRules {
  #active: ActiveRule[] = [];

  /** @returns removes the rule, and lets go of the requests that hang by it. */
  add(rule: FaultRule): () => void {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const entry = { rule, fault: rule, removed: promise, remaining: rule.times ?? Infinity };
    this.#active.push(entry);
    return () => {
      this.#active = this.#active.filter((other) => other !== entry);
      resolve(undefined);
    };
  }

  /** The fault for a request, if any: counted as one of the rule's times. */
  strike(operation: PineconeOperation): StruckFault | undefined {
    const struck = this.#active.find(
      ({ rule, remaining }) => remaining > 0 && (rule.when?.(operation) ?? true),
    );
    if (struck !== undefined) struck.remaining -= 1;
    return struck;
  }
}

/** @throws what the caller sees of a fault that strikes before anything was done. */
export function failBefore(fault: Fault): void {
  if ('cut' in fault && fault.cut === 'before') throw new ConnectionCut();
  if (!('status' in fault)) return;
  const message =
    fault.status === 429
      ? (fault.message ?? 'Too many requests: the upsert limit of the namespace is reached')
      : 'the service is temporarily unavailable';
  const { retryAfter } = fault;
  throw new ApiError(
    fault.status,
    message,
    retryAfter === undefined ? {} : { 'retry-after': `${retryAfter}` },
  );
}
