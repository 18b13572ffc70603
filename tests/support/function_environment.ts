/**
 * Sets the variables that functions need when they start, for tests of a handler's logic. Import it before the handler; nothing
 * is called under these names.
 */
Object.assign(process.env, {
  AWS_REGION: 'us-east-1',
  DYNAMODB_TABLE_NAME: 'receipts',
  CHROMADB_BUCKET: 'chromadb',
  BATCH_BUCKET: 'batches',
  ARRIVALS_QUEUE_URL: 'http://localhost/arrivals',
  REALTIME_STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:123456789012:stateMachine:realtime',
  PINECONE_INDEX_NAME: 'receipts',
  BATCH_MAX_TOKENS: '1000',
  KEEP_OPENAI_FILES: 'false',
  EMBEDDING_MODEL: 'text-embedding-3-small',
  EMBEDDING_DIMENSIONS: '2',
  VECTOR_STORES: 's3_vectors',
});
export {};
