import { createHash } from 'node:crypto';

/** Which rows expire: always the same ones, and each only once. */
export class ExpiringRows {
  readonly #share: number;
  readonly #expired = new Set<string>();

  /** @param share 0 to 1. */
  constructor(share: number) {
    this.#share = share;
  }

  /** Whether the row expires now: it will not again. */
  strikes(customId: string): boolean {
    if (this.#share === 0 || this.#expired.has(customId)) return false;
    const place = createHash('md5').update(customId).digest().readUInt32BE() / 2 ** 32;
    if (place >= this.#share) return false;
    this.#expired.add(customId);
    return true;
  }
}
