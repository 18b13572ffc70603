/**
 * An error of AWS, of its credentials or of the network in words for people: what happened, to what, and what to do.
 *
 * @param doing what was being done, as the sentence's beginning: "Starting the realtime workflow".
 * @returns undefined when the error is of another kind, and to be thrown again.
 */
export function describeAwsProblem(error: unknown, doing: string): string | undefined {
  const failure = awsFailure(error);
  if (failure === undefined) return undefined;
  return `${doing}: ${explain(failure, error as AwsErrorDetails)}`;
}

function explain(failure: AwsFailure, error: AwsErrorDetails): string {
  switch (failure) {
    case 'expired':
      return (
        `the AWS credentials have expired (${saidBy(error)}). ` +
        'Sign in again (for instance `aws sso login`), then run the command once more.'
      );
    case 'unknown_credentials':
      return (
        `the AWS credentials are missing or not valid (${saidBy(error)}). ` +
        'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `aws sts get-caller-identity` tests them.'
      );
    case 'denied':
      return (
        `AWS denies access: ${deniedAction(error)}. ` +
        'Use credentials that allow this, or have it added to their IAM policy.'
      );
    case 'region':
      return 'it is not known in which AWS region. Set AWS_REGION, for instance AWS_REGION=us-east-1.';
    case 'network':
      return `${endpointOf(error)} can't be reached (${saidBy(error)}). ${networkAdvice(error)}`;
    case 'throttled':
      return `AWS asks for a slower pace (${saidBy(error)}). Try again in a minute.`;
    case 'server':
      return `AWS failed to answer (${saidBy(error)}). Try again in a minute.`;
  }
}

function networkAdvice(error: AwsErrorDetails): string {
  return failedConnection(error).address === '127.0.0.1'
    ? 'Is `npm start -- --serve` still running? (AWS_ENDPOINT_URL is set to a local stack.)'
    : 'Check the network, AWS_REGION and AWS_ENDPOINT_URL.';
}

function saidBy({ name, message, code }: AwsErrorDetails): string {
  const kind = typeof code === 'string' ? code : name;
  return message === '' || message === kind ? kind : `${kind}: ${message}`;
}

/** AWS names the action in its message: "… is not authorized to perform: states:StartExecution on resource: …". */
function deniedAction(error: AwsErrorDetails): string {
  const action = /not authorized to perform:? (?<action>[\w-]+:\w+)/.exec(error.message)?.groups?.[
    'action'
  ];
  return action === undefined ? saidBy(error) : `${action} is not allowed (${saidBy(error)})`;
}

function endpointOf(error: AwsErrorDetails): string {
  if (typeof error.hostname === 'string') return error.hostname;
  const { address, port } = failedConnection(error);
  return typeof address === 'string' && typeof port === 'number'
    ? `${address}:${port}`
    : "AWS's endpoint";
}

/** A name with several addresses is tried at each: Node gives the errors of all. */
function failedConnection(error: AwsErrorDetails): Pick<AwsErrorDetails, 'address' | 'port'> {
  return error instanceof AggregateError ? (error.errors[0] as AwsErrorDetails) : error;
}

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
interface AwsErrorDetails extends Error {
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
  // A session of AWS's single sign-on that has run out is reported by the provider of the credentials.
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
