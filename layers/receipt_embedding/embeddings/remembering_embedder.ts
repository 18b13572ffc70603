import type { Embedder, Embeddings } from './embedder.ts';

/** Embeds no text twice: for the time of one receipt, whose lines are wanted by its merchant's lookup too. */
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

  async embed(inputs: readonly string[]): Promise<Embeddings> {
    const missing = [...new Set(inputs)].filter((input) => !this.#vectors.has(input));
    const { vectors, ...usage } = await this.#embedder.embed(missing);
    this.#promptTokens += usage.prompt_tokens;
    this.#requests += usage.requests;
    for (const [at, vector] of vectors.entries()) this.#vectors.set(missing[at] ?? '', vector);
    return { vectors: inputs.flatMap((input) => this.#vectors.get(input) ?? []), ...usage };
  }
}
