/** OpenAI's Embeddings API. */
export { createOpenAIClient } from './embeddings/openai_client.ts';
export { OpenAIEmbedder } from './embeddings/openai_embedder.ts';
