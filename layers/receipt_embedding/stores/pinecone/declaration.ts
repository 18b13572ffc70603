import { z } from 'zod';

/** What a function needs that writes to Pinecone, as data: this file loads no client, so that a deployment can read it. */
export const PINECONE = {
  /** The variable of the API key on a developer's machine; a deployed function has `{secret}_SECRET_ARN` instead. */
  secret: 'PINECONE_API_KEY',
  /** The variable that says where it is. */
  address: 'PINECONE_HOST',
  variables: { PINECONE_INDEX_NAME: z.string() },
  optional_variables: {
    /** Where the index is. Without it, Pinecone is asked. */
    PINECONE_HOST: z.url(),
  },
} as const;
