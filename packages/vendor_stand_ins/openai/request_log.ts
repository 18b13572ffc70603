import type { JsonObject } from './embedding_request.ts';

/** An embeddings request as it came in; a field is undefined where it was missing or of another type. */
export interface LoggedRequest {
  readonly inputs: readonly string[];
  readonly model: string | undefined;
  readonly dimensions: number | undefined;
  readonly encodingFormat: string | undefined;
  /** The status that was answered; `pending` until then, and for as long as a fault lets it hang. */
  readonly status: number | 'pending' | 'cut';
}

/** The most recent requests, their number bounded by that of their inputs together. */
export class RequestLog {
  readonly #maxInputs: number;
  #entries: LoggedRequest[] = [];
  #inputs = 0;

  constructor(maxInputs: number) {
    this.#maxInputs = maxInputs;
  }

  get requests(): readonly LoggedRequest[] {
    return this.#entries.map((entry) => ({ ...entry }));
  }

  /** @returns sets the request's status, once it is known. */
  open(body: JsonObject): (status: number | 'cut') => void {
    const entry = {
      inputs: textsOf(body['input']),
      model: typeof body['model'] === 'string' ? body['model'] : undefined,
      dimensions: typeof body['dimensions'] === 'number' ? body['dimensions'] : undefined,
      encodingFormat:
        typeof body['encoding_format'] === 'string' ? body['encoding_format'] : undefined,
      status: 'pending' as LoggedRequest['status'],
    };
    this.#entries.push(entry);
    this.#inputs += cost(entry);
    this.#forgetOldest();
    return (status) => {
      entry.status = status;
    };
  }

  #forgetOldest(): void {
    let forgotten = 0;
    while (this.#inputs > this.#maxInputs && forgotten < this.#entries.length - 1) {
      const oldest = this.#entries[forgotten];
      if (oldest === undefined) break;
      this.#inputs -= cost(oldest);
      forgotten += 1;
    }
    if (forgotten > 0) this.#entries = this.#entries.slice(forgotten);
  }
}

/** A request without inputs costs one too, or refused requests could pile up without end. */
function cost(entry: LoggedRequest): number {
  return Math.max(1, entry.inputs.length);
}

function textsOf(input: unknown): readonly string[] {
  if (typeof input === 'string') return [input];
  if (!Array.isArray(input)) return [];
  return input.filter((text) => typeof text === 'string');
}
