/** The pair that a whole stack shares: vectors of different models can't be compared. */
export interface EmbeddingModel {
  readonly model: string;
  readonly dimensions: number;
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
