import { RateLimited, UpstreamUnavailable } from '../errors.ts';
import type { Clock } from '../ports.ts';

/** How one request waits before it is tried again. */
export interface PatiencePorts {
  readonly clock: Clock;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
}

/** Pinecone's client leaves 429 to its callers: five more tries. Everything else that passes gets two, as the SDKs give. */
const MORE_TRIES = { throttled: 5, unavailable: 2 } as const;
const FIRST_MS = 1_000;
const CAP_MS = 20_000;
/** Waiting longer is the state machine's, which costs nothing meanwhile. */
const WAITING_MS = 60_000;

/** What one request bears before it gives up: its tries and its waiting together are bounded. */
export class Patience {
  readonly #ports: PatiencePorts;
  readonly #tries = { throttled: 0, unavailable: 0 };
  #waitedMs = 0;

  constructor(ports: PatiencePorts) {
    this.#ports = ports;
  }

  /**
   * How many milliseconds to wait before another try: what Pinecone asks for in Retry-After, else a random time of up to
   * 1 s · 2^n, at most 20 s.
   *
   * @returns undefined when no try is left, when the waiting would exceed a minute in all, or when no try would help.
   */
  beforeNextTry(error: Error, retryAfter: string | null): number | undefined {
    const kind = kindOf(error);
    if (kind === undefined || this.#tries[kind] === MORE_TRIES[kind]) return undefined;
    const delay = this.#asked(retryAfter) ?? this.#jittered(this.#tries[kind]);
    if (this.#waitedMs + delay > WAITING_MS) return undefined;
    this.#tries[kind] += 1;
    this.#waitedMs += delay;
    return delay;
  }

  #asked(retryAfter: string | null): number | undefined {
    if (retryAfter === null || retryAfter.trim() === '') return undefined;
    const seconds = Number(retryAfter);
    const delay = Number.isNaN(seconds)
      ? Date.parse(retryAfter) - this.#ports.clock().getTime()
      : seconds * 1_000;
    return Number.isNaN(delay) ? undefined : Math.max(0, delay);
  }

  #jittered(tries: number): number {
    return this.#ports.random() * Math.min(CAP_MS, FIRST_MS * 2 ** tries);
  }
}

function kindOf(error: Error): keyof typeof MORE_TRIES | undefined {
  if (error instanceof RateLimited) return 'throttled';
  return error instanceof UpstreamUnavailable ? 'unavailable' : undefined;
}
