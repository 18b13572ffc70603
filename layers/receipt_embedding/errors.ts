/**
 * Every failure that leaves the layer has one of these names. Step Functions matches on the name, so
 * it is a literal: a minifier or a vendor's own class name must not change it.
 *
 * None of the messages holds a secret or a receipt's text: they end in logs and in execution results. None has a vendor's
 * error as its cause either: whoever prints an error prints its causes.
 */
import { LayerError } from './layer_error.ts';

/** A vendor asks to slow down; waiting helps. */
export class RateLimited extends LayerError {
  override readonly name = 'RateLimited';
}

/** A vendor can't be reached, took too long, or answered 5xx; waiting helps. */
export class UpstreamUnavailable extends LayerError {
  override readonly name = 'UpstreamUnavailable';
}

/** The account at a vendor has no money or quota left; only a person can help. */
export class QuotaExhausted extends LayerError {
  override readonly name = 'QuotaExhausted';
}

/** A vendor refused what it was asked; asking again won't help. */
export class InvalidRequest extends LayerError {
  override readonly name = 'InvalidRequest';
}

/** A setting, a secret, a permission or a resource is missing or wrong. */
export class InvalidConfiguration extends LayerError {
  override readonly name = 'InvalidConfiguration';
}

/** What is in the table, or what a vendor answered about it, is not what the formats allow. */
export class InvalidReceiptData extends LayerError {
  override readonly name = 'InvalidReceiptData';
}

/** Somebody else changed the same row at the same time in every try, or has taken the lease of a batch. */
export class ConcurrentUpdate extends LayerError {
  override readonly name = 'ConcurrentUpdate';
}

/** OpenAI does not have the files of a batch any more, and never will again. */
export class ResultsExpired extends LayerError {
  override readonly name = 'ResultsExpired';
}
