import type OpenAI from 'openai';
import { z } from 'zod';
import { UpstreamUnavailable } from '../errors.ts';
import {
  type Embedder,
  type EmbeddingModel,
  type Embeddings,
  packRequests,
  readVector,
} from './embedder.ts';
import { translateOpenAIError } from './openai_client.ts';

/** What the Embeddings API answers when base64 was asked for; the SDK's type only knows number arrays. */
const answerSchema = z.object({
  data: z.array(z.object({ index: z.int(), embedding: z.unknown() })),
  usage: z.object({ prompt_tokens: z.int().min(0) }),
});

type EncodedEmbeddings = z.output<typeof answerSchema>;

/**
 * Embeds with OpenAI's Embeddings API: equal texts once, as few requests as its limits allow, vectors as
 * base64, which is a third of the JSON that numbers would be.
 */
export class OpenAIEmbedder implements Embedder {
  readonly model: string;
  readonly dimensions: number;
  readonly #client: OpenAI;

  constructor(client: OpenAI, { model, dimensions }: EmbeddingModel) {
    this.#client = client;
    this.model = model;
    this.dimensions = dimensions;
  }

  async embed(inputs: readonly string[]): Promise<Embeddings> {
    const requests = packRequests([...new Set(inputs)]);
    const vectorOf = new Map<string, Float32Array>();
    let promptTokens = 0;
    // One after the other: a receipt of more than one request is rare, and ten receipts run at a time.
    for (const texts of requests) {
      const answer = await this.#request(texts);
      promptTokens += answer.usage.prompt_tokens;
      for (const [at, vector] of this.#place(answer, texts.length).entries()) {
        vectorOf.set(texts[at] ?? '', vector);
      }
    }
    return {
      vectors: inputs.map((input) => {
        const vector = vectorOf.get(input);
        if (vector === undefined)
          throw new UpstreamUnavailable('OpenAI left an input without a vector');
        return vector;
      }),
      prompt_tokens: promptTokens,
      requests: requests.length,
    };
  }

  async #request(texts: string[]): Promise<EncodedEmbeddings> {
    const answer = await this.#ask(texts);
    const parsed = answerSchema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new UpstreamUnavailable('OpenAI answered something that is no list of embeddings');
  }

  async #ask(texts: string[]): Promise<unknown> {
    try {
      return await this.#client.embeddings.create({
        model: this.model,
        input: texts,
        encoding_format: 'base64',
        dimensions: this.dimensions,
      });
    } catch (error) {
      throw translateOpenAIError(error);
    }
  }

  /** Vectors by the index that each answer carries: the order of the answers means nothing. */
  #place({ data }: EncodedEmbeddings, count: number): Float32Array[] {
    if (data.length !== count) {
      throw new UpstreamUnavailable(`OpenAI answered ${data.length} vectors for ${count} inputs`);
    }
    const vectors: (Float32Array | undefined)[] = new Array<undefined>(count).fill(undefined);
    for (const { index, embedding } of data) {
      if (index < 0 || index >= count || vectors[index] !== undefined) {
        throw new UpstreamUnavailable(`OpenAI answered index ${index} twice or out of range`);
      }
      vectors[index] = readVector(embedding, this.dimensions);
    }
    return vectors as Float32Array[];
  }
}
