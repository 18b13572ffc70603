import { z } from 'zod';
import { secureUrlSchema } from '../../vendor_answers/credentials.ts';
import type { StoreDeclaration } from '../vector_store.ts';

/** What a function of this store needs. */
export const PINECONE = {
  /** The variable of the API key on a developer's machine; a deployed function has `{secret}_SECRET_ARN` instead. */
  secret: 'PINECONE_API_KEY',
  /** The variable that says where it is. */
  address: 'PINECONE_HOST',
  variables: { PINECONE_INDEX_NAME: z.string() },
  optional_variables: {
    /** Where the index is. Without it, Pinecone is asked. */
    PINECONE_HOST: secureUrlSchema,
  },
} as const satisfies StoreDeclaration;
