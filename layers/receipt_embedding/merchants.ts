/** Whose receipt it is. */
export { ChromaNeighbours } from './merchants/chroma_neighbours.ts';
export { GooglePlaces } from './merchants/google_places.ts';
export type { MerchantSource } from './merchants/merchant_source.ts';
export { knownMerchant, resolveMerchant, type Merchant } from './merchants/resolve_merchant.ts';
