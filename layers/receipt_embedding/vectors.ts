/** Where vectors go. */
export { ChromaDeltaStore } from './vectors/chroma_delta_store.ts';
export type {
  VectorCollection,
  VectorRecord,
  VectorRun,
  VectorStore,
} from './vectors/vector_store.ts';
