import type {
  FilterCondition,
  VectorCollection,
  VectorHit,
  VectorStore,
} from '../stores/vector_store.ts';
import { labelsOf, receiptOf } from './search_hits.ts';
import { MOST_HITS } from './search_input.ts';

/** What of the store's hits is wanted. Everything here but the filter is judged by us: stores differ in what they could do of it. */
export interface Wanted {
  readonly vector: Float32Array;
  /** 1 to 300. */
  readonly k: number;
  readonly filter: readonly FilterCondition[];
  /** Left out: the vector that the others are to be like. */
  readonly notId?: string | undefined;
  /** Left out: all of this receipt, as `receiptOf` names it. */
  readonly notReceipt?: string | undefined;
  /** Left out: words on which this label is valid. */
  readonly notLabel?: string | undefined;
  readonly minScore?: number | undefined;
  /** The best hit of each receipt alone. */
  readonly byReceipt: boolean;
}

export interface NearestHits {
  /** Nearest first, at most k. Whatever was not found, no hit that is missing would stand before one of these. */
  readonly hits: readonly VectorHit[];
  /** Whether these are all, or the k nearest; false when the 300 nearest of the store were seen and more may follow. */
  readonly complete: boolean;
  /** Whether the store has any vector that the filter lets through. */
  readonly any: boolean;
}

/** By how much more the store is asked for when too few were left. */
const GROWTH = 3;

/**
 * The nearest k hits. What is not wanted is dropped here, and while too few are left the store is asked for more,
 * up to 300: as many as every store gives (docs/data_model.md §6, §7).
 *
 * @throws what the store throws.
 * @example
 * ```ts
 * await nearestHits(store, 'words', { vector, k: 10, filter: [], notLabel: 'TAX', byReceipt: false });
 * // { hits: [10 words on which TAX is not valid], complete: true, any: true }
 * ```
 */
export async function nearestHits(
  store: Pick<VectorStore, 'query'>,
  collection: VectorCollection,
  wanted: Wanted,
): Promise<NearestHits> {
  const { vector, k, filter } = wanted;
  let asked = firstAsked(wanted);
  for (;;) {
    const answer = await store.query(collection, { vector, k: asked, filter });
    const { hits, belowScore } = kept(answer.hits, wanted);
    const exhausted = answer.complete && answer.hits.length < asked;
    const complete = hits.length >= k || belowScore || exhausted;
    if (complete || asked === MOST_HITS) {
      return { hits: hits.slice(0, k), complete, any: answer.hits.length > 0 };
    }
    asked = Math.min(MOST_HITS, asked * GROWTH);
  }
}

/** One more for the vector itself, which is its own nearest; twice as many where any number may be dropped. */
function firstAsked({ k, notId, notReceipt, notLabel, byReceipt }: Wanted): number {
  const drops = notReceipt !== undefined || notLabel !== undefined || byReceipt;
  return Math.min(MOST_HITS, (drops ? 2 * k : k) + (notId === undefined ? 0 : 1));
}

/** @param hits nearest first. */
function kept(
  hits: readonly VectorHit[],
  { notId, notReceipt, notLabel, minScore = -Infinity, byReceipt }: Wanted,
): { readonly hits: readonly VectorHit[]; readonly belowScore: boolean } {
  const near = hits.filter(({ score }) => score >= minScore);
  const receipts = new Set<string>();
  const wanted = near.filter(({ id, metadata }) => {
    if (id === notId) return false;
    const receipt = receiptOf(id);
    if (receipt === notReceipt) return false;
    if (notLabel !== undefined && labelsOf(metadata).includes(notLabel)) return false;
    if (byReceipt && receipts.has(receipt)) return false;
    receipts.add(receipt);
    return true;
  });
  return { hits: wanted, belowScore: near.length < hits.length };
}
