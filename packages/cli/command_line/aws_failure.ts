/**
 * What kept AWS from answering. `expired` and `unknown_credentials` are about who asks, `denied` about what they may,
 * `region` about where; the others pass by themselves.
 */
export type AwsFailure =
  'expired' | 'unknown_credentials' | 'denied' | 'region' | 'network' | 'throttled' | 'server';

const BY_NAME: Readonly<Record<string, AwsFailure>> = {
  ExpiredToken: 'expired',
  ExpiredTokenException: 'expired',
  RequestExpired: 'expired',
  TokenRefreshRequired: 'expired',
  CredentialsProviderError: 'unknown_credentials',
  TokenProviderError: 'unknown_credentials',
  UnrecognizedClient: 'unknown_credentials',
  UnrecognizedClientException: 'unknown_credentials',
  InvalidClientTokenId: 'unknown_credentials',
  InvalidAccessKeyId: 'unknown_credentials',
  InvalidSignatureException: 'unknown_credentials',
  SignatureDoesNotMatch: 'unknown_credentials',
  MissingAuthenticationToken: 'unknown_credentials',
  MissingAuthenticationTokenException: 'unknown_credentials',
  IncompleteSignature: 'unknown_credentials',
  AccessDenied: 'denied',
  AccessDeniedException: 'denied',
  NotAuthorized: 'denied',
  UnauthorizedOperation: 'denied',
  OptInRequired: 'denied',
  TimeoutError: 'network',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  ThrottledException: 'throttled',
  RequestLimitExceeded: 'throttled',
  RequestThrottled: 'throttled',
  RequestThrottledException: 'throttled',
  TooManyRequestsException: 'throttled',
  ProvisionedThroughputExceededException: 'throttled',
  SlowDown: 'throttled',
  ExecutionLimitExceeded: 'throttled',
};

const NETWORK_CODES: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
]);

/** What Node, or the AWS SDK, may say with an error. */
export interface AwsErrorDetails extends Error {
  readonly code?: unknown;
  readonly hostname?: unknown;
  readonly address?: unknown;
  readonly port?: unknown;
  readonly $fault?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** @returns undefined for an error that says nothing about AWS, its credentials or the network. */
export function awsFailure(error: unknown): AwsFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, message, code, $fault: fault, $metadata: metadata }: AwsErrorDetails = error;
  // The SDK has no class for it.
  if (message === 'Region is missing') return 'region';
  // A session of AWS's single sign-on that has run out is found by whoever provides the credentials.
  if (name === 'CredentialsProviderError' && /expired/i.test(message)) return 'expired';
  const known = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  if (known !== undefined) return known;
  if (typeof code === 'string' && NETWORK_CODES.has(code)) return 'network';
  // From an answer that broke off. Answers that came whole have a status.
  if (metadata === undefined) return undefined;
  const { httpStatusCode: status = 0 } = metadata;
  if (status === 403) return 'denied';
  if (status === 429) return 'throttled';
  return fault === 'server' || status >= 500 ? 'server' : undefined;
}

/** A failure that passes by itself, so that asking again is worth it. */
export function passesByItself(failure: AwsFailure): boolean {
  return failure === 'network' || failure === 'throttled' || failure === 'server';
}
