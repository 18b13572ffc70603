/** A vector that may be near another one. */
export interface Candidate {
  readonly id: string;
  /** undefined where it is not kept: it is near nothing. */
  readonly values: Float32Array | undefined;
  /** Euclidean. */
  readonly length: number;
}

export interface ScoredVector<Of extends Candidate> {
  readonly candidate: Of;
  /** Cosine similarity, -1 to 1. */
  readonly score: number;
}

/** The `topK` candidates that are most similar to a vector, the most similar first; equals by their ids. */
export function nearestVectors<Of extends Candidate>(
  vector: Float32Array,
  candidates: readonly Of[],
  topK: number,
): ScoredVector<Of>[] {
  const length = lengthOf(vector);
  return candidates
    .flatMap((candidate) =>
      candidate.values === undefined
        ? []
        : [{ candidate, score: dot(vector, candidate.values) / (length * candidate.length) }],
    )
    .sort((a, b) => b.score - a.score || (a.candidate.id < b.candidate.id ? -1 : 1))
    .slice(0, topK);
}

export function lengthOf(vector: Float32Array): number {
  return Math.sqrt(dot(vector, vector));
}

/** Of two vectors of the same dimension. Four sums at a time: a query does little else, and takes half as long so. */
function dot(a: Float32Array, b: Float32Array): number {
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  let i = 0;
  for (const end = a.length - 3; i < end; i += 4) {
    first += (a[i] ?? 0) * (b[i] ?? 0);
    second += (a[i + 1] ?? 0) * (b[i + 1] ?? 0);
    third += (a[i + 2] ?? 0) * (b[i + 2] ?? 0);
    fourth += (a[i + 3] ?? 0) * (b[i + 3] ?? 0);
  }
  for (; i < a.length; i += 1) first += (a[i] ?? 0) * (b[i] ?? 0);
  return first + second + third + fourth;
}
