import { dot } from './dot_product.ts';
import type { IndexedVector } from './vector_record.ts';

export interface ScoredVector {
  readonly candidate: IndexedVector;
  /** Cosine similarity, -1 to 1. */
  readonly score: number;
}

type Comparable = IndexedVector & { readonly values: Float32Array };

/** The `topK` candidates that are most similar to a vector, the most similar first; equals by their ids. */
export function nearestVectors(
  vector: Float32Array,
  candidates: readonly IndexedVector[],
  topK: number,
): ScoredVector[] {
  const length = Math.sqrt(dot(vector, vector));
  return candidates
    .filter((candidate): candidate is Comparable => candidate.values !== undefined)
    .map((candidate) => ({
      candidate,
      score: dot(vector, candidate.values) / (length * candidate.length),
    }))
    .sort((a, b) => b.score - a.score || (a.candidate.id < b.candidate.id ? -1 : 1))
    .slice(0, topK);
}
