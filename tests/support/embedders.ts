import { createHash } from 'node:crypto';
import type { Embedder, Embeddings } from 'receipt-embedding/embeddings/embedder';

/** A vector that says which text it is of. */
export function vectorOf(text: string, dimensions = 4): Float32Array {
  const bytes = createHash('sha256').update(text).digest();
  return Float32Array.from(
    { length: dimensions },
    (_, at) => (bytes[at % bytes.length] ?? 0) / 255,
  );
}

/** Embeds in memory: a token a text, a request a call that asks for something; it keeps what it was asked. */
export class RecordingEmbedder implements Embedder {
  readonly model = 'text-embedding-3-small';
  readonly dimensions = 4;
  readonly calls: string[][] = [];

  embed(inputs: readonly string[]): Promise<Embeddings> {
    this.calls.push([...inputs]);
    return Promise.resolve({
      vectors: inputs.map((input) => vectorOf(input)),
      prompt_tokens: inputs.length,
      requests: inputs.length === 0 ? 0 : 1,
    });
  }
}
