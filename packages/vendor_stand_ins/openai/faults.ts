import type { Fault as CommonFault, FaultRule as CommonFaultRule } from 'embedded-aws/http/faults';

/** The requests that OpenAI answers here, by the names of its client's methods. */
export type Operation =
  | 'embeddings.create'
  | 'files.create'
  | 'files.retrieve'
  | 'files.content'
  | 'files.delete'
  | 'batches.create'
  | 'batches.retrieve'
  | 'batches.list';

/** What a rule may know of a request. */
export interface OpenAIRequest {
  readonly operation: Operation;
  /** For `embeddings.create`; empty for all others. */
  readonly inputs: readonly string[];
  /** Of the file or batch in the path; for `batches.create`, of the input file; "" where there is none. */
  readonly id: string;
  /** For `batches.create`. */
  readonly metadata?: unknown;
}

/** A wrong answer to `embeddings.create`, with status 200. Other operations answer as usual. */
export type Distortion =
  /** One vector too few (the last is missing) or too many (the last comes twice). */
  | { readonly wrongCount: -1 | 1 }
  /** Vectors of this length instead of the one asked for. */
  | { readonly wrongDimension: number }
  /** The vectors in reverse order, each with its right `index`. */
  | { readonly shuffle: true }
  /** NaN all through the first vector; null where floats are asked for, as JSON has no NaN. */
  | { readonly nanVector: true };

/** One way in which OpenAI fails its callers. */
export type Fault = CommonFault<Distortion>;

/**
 * How OpenAI fails its callers, and which requests: those with a good key, and for embeddings within the limits.
 *
 * @example { on: 'batches.create', cut: true, moment: 'after', times: 1 } // one batch is created, its answer lost
 * @example { status: 429, code: 'insufficient_quota', when: ({ inputs }) => inputs.includes('MILK') }
 */
export type FaultRule = CommonFaultRule<OpenAIRequest, Distortion>;
