import type { Embedder } from '../embeddings/embedder.ts';
import type { MerchantEvidence } from './merchant_evidence.ts';

/** Somewhere to ask for a merchant's name. */
export interface MerchantSource {
  readonly name: 'chroma' | 'google_places';
  /**
   * @param embedder the one that the receipt is embedded with: what it embeds here is not paid for again there.
   * @returns undefined when nothing found agrees with the evidence.
   * @throws whatever failed; the resolver goes on to the next source.
   */
  findMerchant(evidence: MerchantEvidence, embedder: Embedder): Promise<string | undefined>;
}
