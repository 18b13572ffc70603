import { z } from 'zod';
import { secureUrlSchema } from '../../vendor_answers/credentials.ts';
import type { StoreDeclaration } from '../vector_store.ts';

/** What a function of this store needs, and one that asks it for merchants. */
export const CHROMA = {
  secret: 'CHROMA_TOKEN',
  address: 'CHROMA_HTTP_ENDPOINT',
  variables: { CHROMA_HTTP_ENDPOINT: secureUrlSchema },
  optional_variables: { CHROMA_TENANT: z.string(), CHROMA_DATABASE: z.string() },
} as const satisfies StoreDeclaration;
