import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { SearchOutput } from 'receipt-embedding/search/search';
import type { SearchRequest } from 'receipt-embedding/search/search_input';
import { z } from 'zod';
import { WrongArgument } from '../command_line/arguments.ts';

/** The part of Lambda's client that is used. */
export type InvokingClient = Pick<LambdaClient, 'send'>;

/** A connection whose other end is gone without a word is given up, and tried anew. */
const CONNECTION_TIMEOUT_MS = 5_000;
/** Longer than the function's own timeout, of 30 s. */
const REQUEST_TIMEOUT_MS = 40_000;

/** Speaks to Lambda in this region (undefined: the environment's), or at AWS_ENDPOINT_URL. A search may be tried again: it changes nothing. */
export function createLambdaClient(region: string | undefined): LambdaClient {
  return new LambdaClient({
    ...(region === undefined ? {} : { region }),
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      socketTimeout: REQUEST_TIMEOUT_MS,
    },
  });
}

/** The function failed: its own words. */
export interface FailedSearch {
  readonly failure: string;
}

const failureSchema = z.object({ errorType: z.string(), errorMessage: z.string() });

/**
 * Asks the stack's function.
 *
 * @throws WrongArgument for what it refuses; what AWS refuses.
 */
export async function askFunction(
  lambda: InvokingClient,
  functionName: string,
  request: SearchRequest,
): Promise<SearchOutput | FailedSearch> {
  const { FunctionError: failed, Payload: payload } = await lambda.send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(request) }),
  );
  const answer: unknown = JSON.parse(Buffer.from(payload ?? []).toString());
  // The function is of the same version as this command, so that its type says what it answers.
  if (failed === undefined) return answer as SearchOutput;
  const told = failureSchema.safeParse(answer);
  if (!told.success) return { failure: `The function ${functionName} failed (${failed}).` };
  const { errorType, errorMessage } = told.data;
  if (errorType === 'InvalidRequest') {
    throw new WrongArgument(`The search is refused: ${errorMessage}`);
  }
  return {
    failure: `The search failed: ${errorType}: ${errorMessage}\ndocs/troubleshooting.md says what to do about each error.`,
  };
}
