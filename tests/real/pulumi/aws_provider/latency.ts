import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds. */
const USUAL = 5;
const SLOW = 60;
const QUIET = 300;

/** What others must wait for is slow, so that who does not wait is seen. */
const SLOW_TYPES = new Set([
  'aws:iam/rolePolicy:RolePolicy',
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock',
  'aws:s3/bucketVersioning:BucketVersioning',
]);

/** Much is done meanwhile that need not wait for this: it comes when nothing else has been asked for a while. */
const LAST = 'aws:secretsmanager/secretVersion:SecretVersion';

/** How long AWS takes. */
export class Latency {
  #lastAsked = 0;

  /** Resolves when a resource of this type is done. */
  async passes(type: string): Promise<void> {
    if (type === LAST) {
      while (performance.now() - this.#lastAsked < QUIET) await delay(USUAL);
    } else {
      this.#lastAsked = performance.now();
      await delay(SLOW_TYPES.has(type) ? SLOW : USUAL);
    }
  }
}
