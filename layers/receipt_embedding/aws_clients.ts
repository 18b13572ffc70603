import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { UpstreamUnavailable } from './errors.ts';
import { deniedAction, judgeAws, shownAwsName } from './vendor_answers/aws.ts';
import { vendorError } from './vendor_answers/verdict.ts';

/** The layer retries by itself. @see RETRY_POLICIES */
export const WITHOUT_RETRIES = { maxAttempts: 1 } as const;

/** How long one request may take, milliseconds. Whatever takes longer is given up as UpstreamUnavailable. */
export interface TimeLimits {
  /** Until its answer begins. */
  readonly answer: number;
  /** Between two pieces of its answer. */
  readonly silence: number;
}

const CONNECTION_MS = 3_000;

/** A row or a page; or a secret, which is read before anything else is done. */
export const SMALL_ANSWER: TimeLimits = { answer: 10_000, silence: 10_000 };

/**
 * A manifest of a million receipts is some 80 MB: it needs longer than a row. Who reads an object may pause, to write what it has
 * read, so the silence is long.
 */
const LARGE_OBJECT: TimeLimits = { answer: 120_000, silence: 300_000 };

/**
 * The `requestHandler` of a client that gives a silent server up. Without `throwOnRequestTimeout` the SDK only warns, and waits on.
 *
 * @example
 * ```ts
 * new SecretsManagerClient({ requestHandler: limitTime(SMALL_ANSWER) });
 * ```
 */
export function limitTime({ answer, silence }: TimeLimits): {
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly throwOnRequestTimeout: true;
  readonly socketTimeout: number;
} {
  return {
    connectionTimeout: CONNECTION_MS,
    requestTimeout: answer,
    throwOnRequestTimeout: true,
    socketTimeout: silence,
  };
}

/**
 * The options of a client of the layer's.
 *
 * @param region undefined: the environment's.
 */
export function clientOptions(limits: TimeLimits, region?: string) {
  const where = region === undefined ? {} : { region };
  return { ...WITHOUT_RETRIES, ...where, requestHandler: limitTime(limits) };
}

/**
 * A client for table/table.ts. Credentials and endpoint are the environment's. It fails with the layer's errors and does not retry.
 *
 * @param region by default the environment's too.
 * @example
 * ```ts
 * const table: Table = { client: createDynamoDBClient(), name: 'ReceiptsTable-dev' };
 * ```
 */
export function createDynamoDBClient(
  region?: string,
  limits: TimeLimits = SMALL_ANSWER,
): DynamoDBClient {
  return ofTheLayer(new DynamoDBClient(clientOptions(limits, region)));
}

/** The same for s3_objects.ts. @see createDynamoDBClient */
export function createS3Client(limits: TimeLimits = LARGE_OBJECT): S3Client {
  return ofTheLayer(new S3Client(clientOptions(limits)));
}

/**
 * A client as the layer has them: it throws the layer's errors, and has no log. The SDK goes through every answer to hide what a log
 * must not show, also where nobody logs: a third of the time that reading many rows takes.
 */
export function ofTheLayer<
  Client extends { readonly middlewareStack: { remove(name: string): boolean } },
>(client: Client): Client {
  client.middlewareStack.remove('loggerMiddleware');
  return translateErrors(client);
}

/** What the AWS SDK throws, as far as this file reads it. */
interface ServiceError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $fault?: 'client' | 'server';
}

/** Expected answers: whoever set a condition, or asks for an execution by its name, knows what they mean. */
const EXPECTED = new Set([
  'ConditionalCheckFailedException',
  'ConditionalRequestConflict',
  'ExecutionAlreadyExists',
  'ExecutionDoesNotExist',
  'PreconditionFailed',
]);

/**
 * An AWS error as one of the layer's own. The answer to a condition, that an execution does not exist, and what
 * AWS did not throw, is returned as it is. AWS's message is left out, as it may quote the request, except which action on which resource was denied.
 *
 * @param operation the request that failed, for the message.
 * @example
 * ```ts
 * translateAwsError(throttlingException, 'GetItemCommand');
 * // RateLimited: GetItemCommand failed: ThrottlingException (HTTP 400): AWS asks to slow down
 * ```
 */
export function translateAwsError(error: unknown, operation: string): unknown {
  if (!(error instanceof Error) || EXPECTED.has(error.name)) return error;
  const { $metadata: metadata, $fault: fault } = error as ServiceError;
  const status = metadata?.httpStatusCode;
  const name = shownAwsName(error.name);
  const what = `${operation} failed: ${name}${status === undefined ? '' : ` (HTTP ${status})`}`;
  // No answer at all: a timeout, a refused or a cut connection.
  if (isNetworkError(error)) {
    return new UpstreamUnavailable(`${what}: AWS can not be reached or took too long`, {
      fault: 'vendor',
    });
  }
  const isOfAws = fault !== undefined || metadata !== undefined || error.name === NO_CREDENTIALS;
  if (!isOfAws) return error;
  return vendorError(
    judgeAws(error.name, status, error.message),
    `${what}${deniedAction(error.message)}`,
    name,
  );
}

/** The only error of AWS's that no service answers. */
const NO_CREDENTIALS = 'CredentialsProviderError';

function isNetworkError(error: Error): boolean {
  return (
    error.name === 'TimeoutError' ||
    error.name === 'AbortError' ||
    ('code' in error &&
      typeof error.code === 'string' &&
      /^(?:E[A-Z]+|UND_ERR_\w+)$/.test(error.code))
  );
}

/** The part of every AWS client that this needs; their own types differ in nothing else here. */
interface ClientWithMiddleware {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: never) => Promise<never>,
        context: { readonly clientName?: string; readonly commandName?: string },
      ) => (args: never) => Promise<never>,
      options: { readonly step: 'initialize'; readonly name: string },
    ): void;
  };
}

/** Makes a client throw the layer's errors, once its own retries, if it has any, are used up. @returns the same client. */
export function translateErrors<Client extends object>(client: Client): Client {
  (client as Client & ClientWithMiddleware).middlewareStack.add(
    (next, context) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        throw translateAwsError(error, context.commandName ?? 'AWS request');
      }
    },
    { step: 'initialize', name: 'translateErrors' },
  );
  return client;
}
