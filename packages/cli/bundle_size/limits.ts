/** What a bundle may weigh as a zip, in bytes. */
export interface BundleLimits {
  readonly layer: number;
  /** Of each function. */
  readonly handler: number;
}

/**
 * Ours, far below Lambda's own (50 MB zipped, 250 MB unzipped): a function's first start reads all of its bundle, and a
 * handler that outgrows this carries what belongs in the layer.
 */
export const BUNDLE_LIMITS: BundleLimits = { layer: 5_000_000, handler: 50_000 };
