import type { ServiceResponse } from 'embedded-aws/http/service';

/** What binds the requests for one embedding model. */
export interface EmbeddingModel {
  readonly id: string;
  /** Epoch seconds, as OpenAI's list of models gives them. */
  readonly created: number;
  /** The length of its vectors where a request names none, and the longest that may be asked for. */
  readonly maxDimensions: number;
  /** Whether a request may name `dimensions` at all. */
  readonly shortens: boolean;
}

/** OpenAI's embedding models, with the limits of its API reference. */
export const embeddingModels: readonly EmbeddingModel[] = [
  { id: 'text-embedding-3-small', created: 1705948997, maxDimensions: 1536, shortens: true },
  { id: 'text-embedding-3-large', created: 1705953180, maxDimensions: 3072, shortens: true },
  { id: 'text-embedding-ada-002', created: 1671217299, maxDimensions: 1536, shortens: false },
];

/** The answer to `GET /v1/models`. */
export function listModels(): ServiceResponse {
  const data = embeddingModels.map(({ id, created }) => ({
    id,
    object: 'model',
    created,
    owned_by: 'system',
  }));
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ object: 'list', data }),
  };
}
