/** One way in which OpenAI fails its callers. */
export type Fault =
  | {
      readonly status: 429;
      /** Seconds, sent as the header `retry-after`. */
      readonly retryAfter?: number;
      /** @default 'rate_limit_exceeded' */
      readonly code?: 'rate_limit_exceeded' | 'insufficient_quota';
    }
  | { readonly status: 500 | 502 | 503 | 504 }
  /** The connection is cut, without an answer. */
  | { readonly cut: true }
  /** No answer until the rule is removed, then the ordinary one. A caller that gives up sooner gets none. */
  | { readonly hang: true }
  /** One vector too few (the last is missing) or too many (the last comes twice). */
  | { readonly wrongCount: -1 | 1 }
  /** Vectors of this length instead of the one asked for. */
  | { readonly wrongDimension: number }
  /** The vectors in reverse order, each with its right `index`. */
  | { readonly shuffle: true }
  /** NaN all through the first vector; as JSON has no NaN, null where floats are asked for. */
  | { readonly nanVector: true };

/** A fault, and the requests that it strikes: among those within the limits, the next `times` that match. */
export type FaultRule = Fault &
  Strikes<readonly string[]> & {
    readonly on?: 'embeddings.create' | undefined;
  };

/** Which requests a rule strikes; `Request` is what a rule may know of one (its inputs, its ids). */
export interface Strikes<Request> {
  /** @default every one, until the rule is removed */
  readonly times?: number;
  /** @default any request */
  readonly when?: (request: Request) => boolean;
}

/** A fault that strikes one request. */
export interface StruckFault<Kind = Fault> {
  readonly fault: Kind;
  /** Settles when the rule is removed. */
  readonly removed: Promise<void>;
}

interface ActiveRule<Kind, Request> extends StruckFault<Kind> {
  readonly rule: Strikes<Request>;
  remaining: number;
}

/** The rules in force: the oldest that matches strikes, and no other. */
export class FaultRules<Kind = Fault, Request = readonly string[]> {
  #active: ActiveRule<Kind, Request>[] = [];

  /** @returns removes the rule, and lets go of the requests that hang by it. */
  add(rule: Kind & Strikes<Request>): () => void {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const entry = { rule, fault: rule, removed: promise, remaining: rule.times ?? Infinity };
    this.#active.push(entry);
    return () => {
      this.#active = this.#active.filter((other) => other !== entry);
      resolve(undefined);
    };
  }

  /** The fault for a request, if any: counted as one of the rule's times. */
  strike(request: Request): StruckFault<Kind> | undefined {
    const struck = this.#active.find(
      ({ rule, remaining }) => remaining > 0 && (rule.when?.(request) ?? true),
    );
    if (struck !== undefined) struck.remaining -= 1;
    return struck;
  }
}
