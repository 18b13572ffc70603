import { VectorsError } from './answers.ts';

export interface WriteLimit {
  /** @default 1,000, as AWS has it for an index */
  readonly requestsPerSecond?: number;
  /** @default 2,500, as AWS has it for an index; at least as many as the largest request has. */
  readonly vectorsPerSecond?: number;
  /**
   * Milliseconds, of any beginning.
   *
   * @default the process's clock
   */
  readonly now?: () => number;
}

/**
 * How much may be written to an index: each second brings an allowance, which is kept for a second.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-limitations.html
 */
export class WriteAllowance {
  readonly #now: () => number;
  readonly #allowances: readonly Allowance[];
  #since: number;

  constructor({
    requestsPerSecond = 1_000,
    vectorsPerSecond = 2_500,
    now = () => performance.now(),
  }: WriteLimit) {
    this.#now = now;
    this.#since = now();
    this.#allowances = [requestsPerSecond, vectorsPerSecond].map((perSecond) => ({
      perSecond,
      left: perSecond,
    }));
  }

  /** @throws VectorsError (TooManyRequestsException) when the allowance is used up; nothing is taken then. */
  take(vectors: number): void {
    const now = this.#now();
    const seconds = (now - this.#since) / 1_000;
    this.#since = now;
    const wanted = [1, vectors];
    for (const allowance of this.#allowances) {
      allowance.left = Math.min(
        allowance.perSecond,
        allowance.left + seconds * allowance.perSecond,
      );
    }
    if (this.#allowances.some(({ left }, at) => left < (wanted[at] ?? 0))) {
      throw new VectorsError(429, 'TooManyRequestsException', 'Request rate is too high');
    }
    for (const [at, allowance] of this.#allowances.entries()) allowance.left -= wanted[at] ?? 0;
  }
}

interface Allowance {
  readonly perSecond: number;
  left: number;
}
