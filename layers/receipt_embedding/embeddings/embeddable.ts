import type { EmbeddingStatus } from '../entities/embedding_status.ts';

/**
 * Whether a line or word is embedded at all: noise is not, and neither is a text that is empty or only
 * white space (OpenAI refuses a whole request for one empty input).
 */
export function isEmbeddable(entity: {
  readonly text: string;
  readonly is_noise: boolean;
  readonly embedding_status: EmbeddingStatus;
}): boolean {
  return !entity.is_noise && entity.embedding_status !== 'NOISE' && entity.text.trim() !== '';
}
