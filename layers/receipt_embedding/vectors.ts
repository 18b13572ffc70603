/** Where vectors go. */
export { ChromaDeltaStore, type VectorRun } from './vectors/chroma_delta_store.ts';
export type { VectorCollection, VectorRecord, VectorStore } from './vectors/vector_store.ts';
