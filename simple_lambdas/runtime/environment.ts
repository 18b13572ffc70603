import { InvalidConfiguration } from 'receipt-embedding/errors';
import { z } from 'zod';

/** The variables that functions read, each with what it must be. A function picks those that it needs. */
export const variables = {
  DYNAMODB_TABLE_NAME: z.string(),
  CHROMADB_BUCKET: z.string(),
  BATCH_BUCKET: z.string(),
  BATCH_MAX_TOKENS: z.coerce.number().int().min(1),
  EMBEDDING_MODEL: z.string(),
  EMBEDDING_DIMENSIONS: z.coerce.number().int().min(1),
  OPENAI_BASE_URL: z.url().optional(),
  OPENAI_API_KEY: z.string().optional(),
  OPENAI_API_KEY_SECRET_ARN: z.string().optional(),
  GOOGLE_PLACES_API_KEY: z.string().optional(),
  GOOGLE_PLACES_API_KEY_SECRET_ARN: z.string().optional(),
  CHROMA_HTTP_ENDPOINT: z.url().optional(),
  PINECONE_API_KEY: z.string().optional(),
  PINECONE_API_KEY_SECRET_ARN: z.string().optional(),
  PINECONE_INDEX_NAME: z.string(),
  PINECONE_HOST: z.url().optional(),
};

/**
 * Reads a function's environment, once, when it starts. An empty variable counts as missing.
 *
 * @throws InvalidConfiguration with every problem at once; it names variables, never their values.
 */
export function parseEnvironment<Shape extends z.ZodRawShape>(
  shape: Shape,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<z.ZodObject<Shape>> {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = z.object(shape).safeParse(set);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new InvalidConfiguration(`the function's environment is wrong: ${problems.join('; ')}`);
}
