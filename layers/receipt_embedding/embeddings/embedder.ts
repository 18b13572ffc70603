import { UpstreamUnavailable } from '../errors.ts';

/** The pair that a whole stack shares: vectors of different models can't be compared. */
export interface EmbeddingModel {
  readonly model: string;
  readonly dimensions: number;
}

/** Whether vectors of the one can be compared with vectors of the other. */
export function isSameModel(a: EmbeddingModel, b: EmbeddingModel): boolean {
  return a.model === b.model && a.dimensions === b.dimensions;
}

export interface Embeddings {
  /** One of the model's dimensions for each input, in the inputs' order. */
  readonly vectors: readonly Float32Array[];
  /** As OpenAI bills them. */
  readonly prompt_tokens: number;
  readonly requests: number;
}

/** Turns texts into vectors. */
export interface Embedder extends EmbeddingModel {
  /**
   * @param inputs none of them empty.
   * @throws RateLimited, UpstreamUnavailable, QuotaExhausted, InvalidRequest, InvalidConfiguration.
   */
  embed(inputs: readonly string[]): Promise<Embeddings>;
}

/**
 * Embeds no text twice: for the time of one receipt, whose lines its merchant's look-up embeds too.
 * @example
 * ```ts
 * const embedder = new RememberingEmbedder(openaiEmbedder);
 * await embedder.embed(['MILK', 'BREAD']);
 * await embedder.embed(['MILK']); // without a request
 * embedder.usage; // { prompt_tokens: 3, requests: 1 }
 * ```
 */
export class RememberingEmbedder implements Embedder {
  readonly model: string;
  readonly dimensions: number;
  readonly #embedder: Embedder;
  readonly #vectors = new Map<string, Float32Array>();
  #promptTokens = 0;
  #requests = 0;

  constructor(embedder: Embedder) {
    this.model = embedder.model;
    this.dimensions = embedder.dimensions;
    this.#embedder = embedder;
  }

  /** What all calls together have cost. */
  get usage(): Omit<Embeddings, 'vectors'> {
    return { prompt_tokens: this.#promptTokens, requests: this.#requests };
  }

  /** What was bought before is not bought again. */
  remember(input: string, vector: Float32Array): void {
    this.#vectors.set(input, vector);
  }

  async embed(inputs: readonly string[]): Promise<Embeddings> {
    const missing = [...new Set(inputs)].filter((input) => !this.#vectors.has(input));
    if (missing.length === 0) {
      return { vectors: this.#known(inputs), prompt_tokens: 0, requests: 0 };
    }
    const { vectors, ...usage } = await this.#embedder.embed(missing).catch((error: unknown) => {
      // A request that fails is one all the same.
      this.#requests++;
      throw error;
    });
    this.#promptTokens += usage.prompt_tokens;
    this.#requests += usage.requests;
    for (const [at, vector] of vectors.entries()) this.#vectors.set(missing[at] ?? '', vector);
    return { vectors: this.#known(inputs), ...usage };
  }

  #known(inputs: readonly string[]): Float32Array[] {
    return inputs.flatMap((input) => this.#vectors.get(input) ?? []);
  }
}

/**
 * A vector as OpenAI answers it, checked.
 *
 * @throws UpstreamUnavailable when it has other dimensions, or a number that is not finite.
 * @example
 * ```ts
 * readVector('AACAPw==', 1); // Float32Array [1]
 * ```
 */
export function readVector(embedding: unknown, dimensions: number): Float32Array {
  const vector = decodeVector(embedding);
  if (vector.length !== dimensions) {
    throw new UpstreamUnavailable(
      `OpenAI answered a vector of ${vector.length} dimensions where ${dimensions} were asked for`,
    );
  }
  if (!vector.every(Number.isFinite)) {
    throw new UpstreamUnavailable(
      'OpenAI answered a vector that holds a number that is not finite',
    );
  }
  return vector;
}

/** Base64 of little-endian float32. @see decodeVector */
export function encodeVector(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}

/**
 * Base64 of little-endian float32, or an array of numbers, which servers that know no base64 answer.
 *
 * @throws UpstreamUnavailable when it is neither.
 */
export function decodeVector(embedding: unknown): Float32Array {
  if (Array.isArray(embedding)) return fromNumbers(embedding);
  if (typeof embedding !== 'string') {
    throw new UpstreamUnavailable(`OpenAI answered a vector as ${typeof embedding}`);
  }
  const bytes = Buffer.from(embedding, 'base64');
  // Every machine that runs this is little-endian, so a view will do where the bytes lie aligned.
  const aligned =
    bytes.byteOffset % Float32Array.BYTES_PER_ELEMENT === 0 ? bytes : Uint8Array.from(bytes);
  return new Float32Array(
    aligned.buffer,
    aligned.byteOffset,
    Math.floor(aligned.byteLength / Float32Array.BYTES_PER_ELEMENT),
  );
}

/** JSON has null in place of NaN, which a Float32Array would take for 0. */
function fromNumbers(numbers: readonly unknown[]): Float32Array {
  if (!numbers.every((number) => typeof number === 'number')) {
    throw new UpstreamUnavailable(
      'OpenAI answered a vector that holds something else than numbers',
    );
  }
  return Float32Array.from(numbers);
}
