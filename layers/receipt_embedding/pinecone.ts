/** Pinecone, apart from the other stores: a function that writes no vectors there does not load its client. */
export { createPineconeStore, type PineconeStoreOptions } from './vectors/pinecone_client.ts';
export { PineconeStore } from './vectors/pinecone_store.ts';
