import { contentId } from './content_id.ts';
import type { EmbeddingModel } from './embedder.ts';
import type { EmbeddingItems } from './embedding_items.ts';

/** To be raised when the same content would give other deltas. */
const FORMAT_VERSION = 1;

/**
 * The id of a run, from all that its deltas hold: ids, inputs and metadata of lines and words, model,
 * dimensions and the format's version. The same content has the same id, whoever asks and whenever.
 */
export function contentRunId(items: EmbeddingItems, { model, dimensions }: EmbeddingModel): string {
  const described = ({ lines, words }: EmbeddingItems) =>
    [lines, words].map((list) => list.map(({ id, input, metadata }) => [id, input, metadata]));
  return contentId(JSON.stringify([FORMAT_VERSION, model, dimensions, described(items)]));
}
