import { parsePath } from '../entities/keys.ts';
import type { VectorCollection } from './vector_store.ts';

/**
 * The collection that a vector's id is of.
 *
 * @returns undefined for what is the id of no line and no word.
 */
export function collectionOf(id: string): VectorCollection | undefined {
  const parts = parsePath(id);
  if (parts?.line_id === undefined || parts.label !== undefined) return undefined;
  return parts.word_id === undefined ? 'lines' : 'words';
}
