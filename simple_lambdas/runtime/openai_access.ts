import { createOpenAIClient } from 'receipt-embedding/embeddings/openai';
import { InvalidConfiguration } from 'receipt-embedding/errors';
import { variables } from './environment.ts';
import { readSecret } from './secrets.ts';

/** What a function that speaks to OpenAI reads of its environment. */
export const openaiVariables = {
  OPENAI_BASE_URL: variables.OPENAI_BASE_URL,
  OPENAI_API_KEY: variables.OPENAI_API_KEY,
  OPENAI_API_KEY_SECRET_ARN: variables.OPENAI_API_KEY_SECRET_ARN,
};

interface OpenAIEnvironment {
  readonly OPENAI_BASE_URL?: string | undefined;
  readonly OPENAI_API_KEY?: string | undefined;
  readonly OPENAI_API_KEY_SECRET_ARN?: string | undefined;
}

/** @throws InvalidConfiguration when there is no key. */
export async function connectOpenAI(
  environment: OpenAIEnvironment,
): Promise<ReturnType<typeof createOpenAIClient>> {
  const apiKey = await readSecret({
    plain: environment.OPENAI_API_KEY,
    arn: environment.OPENAI_API_KEY_SECRET_ARN,
  });
  if (apiKey === undefined) {
    throw new InvalidConfiguration('OPENAI_API_KEY_SECRET_ARN (or OPENAI_API_KEY) is not set');
  }
  return createOpenAIClient({ apiKey, baseURL: environment.OPENAI_BASE_URL });
}
