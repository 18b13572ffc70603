/**
 * Every failure that leaves the layer has one of these names. Step Functions matches on the name, so
 * it is a literal: a minifier or a vendor's own class name must not change it.
 *
 * None of the messages holds a secret or a receipt's text: they end in logs and in execution results.
 */

/** A vendor asks to slow down; waiting helps. */
export class RateLimited extends Error {
  override readonly name = 'RateLimited';
}

/** A vendor can't be reached, took too long, or answered 5xx; waiting helps. */
export class UpstreamUnavailable extends Error {
  override readonly name = 'UpstreamUnavailable';
}

/** The account at a vendor has no money or quota left; only a person can help. */
export class QuotaExhausted extends Error {
  override readonly name = 'QuotaExhausted';
}

/** A vendor refused what it was asked; asking again won't help. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest';
  /** Set where one input of several is to blame, and the others would be taken without it. */
  readonly fault: 'input' | undefined;

  constructor(message: string, { fault, ...options }: ErrorOptions & { fault?: 'input' } = {}) {
    super(message, options);
    this.fault = fault;
  }
}

/** A setting, a secret, a permission or a resource is missing or wrong. */
export class InvalidConfiguration extends Error {
  override readonly name = 'InvalidConfiguration';
}

/** What is in the table, or what a vendor answered about it, is not what the formats allow. */
export class InvalidReceiptData extends Error {
  override readonly name = 'InvalidReceiptData';
}

/** Somebody else changed the same row at the same time in every try, or has taken the lease of a batch. */
export class ConcurrentUpdate extends Error {
  override readonly name = 'ConcurrentUpdate';
}

/** OpenAI does not have the files of a batch any more, and never will again. */
export class ResultsExpired extends Error {
  override readonly name = 'ResultsExpired';
}
