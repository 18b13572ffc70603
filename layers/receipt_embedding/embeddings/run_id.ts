import { createHash } from 'node:crypto';
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
  return uuidFromHash(JSON.stringify([FORMAT_VERSION, model, dimensions, described(items)]));
}

/**
 * The part of a run id that says what the content is: the first four of a UUID's five groups, 74 bits of
 * the hash. All runs of one receipt with this beginning hold the same content.
 */
export function contentPart(runId: string): string {
  return runId.slice(0, runId.lastIndexOf('-') + 1);
}

/**
 * Another id for a run of the same content, wanted when that content is to be embedded once more: forced, or after the
 * compactor failed. The same `occasion` gives the same id, so that a retry does not make a third.
 */
export function repeatedRunId(runId: string, occasion: string): string {
  return contentPart(runId) + sha256(`${runId}#${occasion}`).slice(0, 12);
}

/** A UUID in version 4's shape, which is the only one that readers of run ids accept. */
function uuidFromHash(content: string): string {
  const hex = sha256(content);
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0b0011) | 0b1000).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
