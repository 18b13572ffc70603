import {
  ACCOUNT,
  BUG,
  codesOf,
  INPUT,
  judge,
  PACE,
  SETTING,
  VENDOR,
  type VendorTable,
  type Verdict,
} from './verdict.ts';

const RACE = { error: 'ConcurrentUpdate', fault: 'vendor', wait: true } as const;

const rows = <Of extends Verdict>(verdict: Of, codes: readonly string[]) =>
  codes.map((code) => ({ code, ...verdict }));

/**
 * What AWS's errors mean, by their names: of DynamoDB, S3, Secrets Manager, Step Functions, SQS, KMS behind them, and S3 Vectors. The answer to a
 * condition (`ConditionalCheckFailedException`, `PreconditionFailed`) is none of them: whoever set the condition knows what it means.
 * A statement of a batch of DynamoDB's has the same errors without `Exception` at their ends (`BatchStatementErrorCodeEnum`).
 * docs/troubleshooting.md has cause and cure of each.
 */
export const AWS_ANSWERS: VendorTable = [
  ...rows({ ...PACE, reason: 'AWS asks to slow down' }, [
    'BandwidthLimitExceeded',
    'EC2ThrottledException',
    'ExecutionLimitExceeded',
    'KMS.ThrottlingException',
    'KMSThrottlingException',
    'LimitExceededException',
    'PriorRequestNotComplete',
    'ProvisionedThroughputExceeded',
    'ProvisionedThroughputExceededException',
    'RequestLimitExceeded',
    'RequestThrottled',
    'RequestThrottledException',
    'SlowDown',
    'ThrottledException',
    'Throttling',
    'ThrottlingError',
    'ThrottlingException',
    'TooManyRequestsException',
  ]),
  ...rows({ ...VENDOR, reason: 'AWS failed, or took too long' }, [
    'InternalError',
    'InternalFailure',
    'InternalServerError',
    'InternalServerException',
    'InternalServiceError',
    'RequestTimeout',
    'RequestTimeoutException',
    'ServiceUnavailable',
    'ServiceUnavailableException',
  ]),
  ...rows(
    {
      error: 'QuotaExhausted',
      fault: 'account',
      wait: false,
      reason: 'a quota of the AWS account is used up; raise it in Service Quotas',
    },
    ['ServiceQuotaExceededException'],
  ),
  ...rows({ ...ACCOUNT, reason: 'the role may not do this' }, [
    'AccessDenied',
    'AccessDeniedException',
    'AccountProblem',
    'AllAccessDisabled',
    'NotAuthorized',
    'OptInRequired',
    'UnauthorizedAccess',
  ]),
  ...rows({ ...ACCOUNT, reason: 'the credentials are not valid, or not any more' }, [
    'CredentialsProviderError',
    'ExpiredToken',
    'ExpiredTokenException',
    'IncompleteSignature',
    'InvalidAccessKeyId',
    'InvalidClientTokenId',
    'InvalidSignatureException',
    'InvalidToken',
    'MissingAuthenticationToken',
    'MissingAuthenticationTokenException',
    'RequestExpired',
    'RequestTimeTooSkewed',
    'SignatureDoesNotMatch',
    'TokenRefreshRequired',
    'UnrecognizedClientException',
  ]),
  ...rows({ ...SETTING, reason: 'it does not exist' }, [
    'NoSuchBucket',
    'NotFoundException',
    'QueueDoesNotExist',
    'ResourceNotFound',
    'ResourceNotFoundException',
    'StateMachineDoesNotExist',
  ]),
  ...rows({ ...SETTING, reason: 'the bucket is in another region' }, [
    'PermanentRedirect',
    'AuthorizationHeaderMalformed',
    'IllegalLocationConstraintException',
  ]),
  ...rows(
    {
      ...SETTING,
      reason: 'its KMS key can not be used: check the key’s state, and the role’s rights on it',
    },
    [
      'DecryptionFailure',
      'EncryptionFailure',
      'InaccessibleEncryptionDateTimeException',
      'KMS.DisabledException',
      'KMS.InvalidKeyUsageException',
      'KMS.KMSInvalidStateException',
      'KMS.NotFoundException',
      'KMSAccessDeniedException',
      'KMSDisabledException',
      'KMSInvalidStateException',
      'KMSNotFoundException',
      'KmsDisabledException',
      'KmsInvalidKeyUsageException',
      'KmsInvalidStateException',
      'KmsNotFoundException',
    ],
  ),
  ...rows({ ...RACE, reason: 'others change the same thing at the same time' }, [
    'ConflictException',
    'OperationAborted',
    'ReplicatedWriteConflictException',
    'TransactionConflict',
    'TransactionConflictException',
    'TransactionInProgressException',
  ]),
  // S3 Vectors begins what is wrong with one vector so; the rest quotes its key.
  {
    code: 'ValidationException',
    says: /^Invalid record for key .*vector must have length/s,
    ...SETTING,
    reason: "the vectors' dimensions are not the index's; check embedding_dimensions",
  },
  {
    code: 'ValidationException',
    says: /^Invalid record for key /,
    ...INPUT,
    reason: 'a record has metadata, an id or a vector that S3 Vectors does not take',
  },
  {
    code: 'ValidationException',
    says: /^Request body exceeds max allowed size/,
    ...BUG,
    split: true,
    reason: 'the request is larger than S3 Vectors takes',
  },
  ...rows({ ...BUG, reason: 'AWS does not take the request' }, [
    'DuplicateItem',
    'InvalidArgument',
    'InvalidParameterException',
    'InvalidRequest',
    'InvalidRequestException',
    'ItemCollectionSizeLimitExceeded',
    'ItemCollectionSizeLimitExceededException',
    'NoSuchKey',
    'NotFound',
    'SerializationException',
    'ValidationError',
    'ValidationException',
  ]),
  {
    status: 402,
    error: 'QuotaExhausted',
    fault: 'account',
    wait: false,
    reason: 'a quota of the AWS account is used up; raise it in Service Quotas',
  },
  { status: [401, 403], ...ACCOUNT, reason: 'the role may not do this' },
  { status: 408, ...VENDOR, reason: 'AWS took too long' },
  { status: 409, ...RACE, reason: 'others change the same thing at the same time' },
  { status: 429, ...PACE, reason: 'AWS asks to slow down' },
  { status: [300, 499], ...BUG, reason: 'AWS does not take the request' },
  { ...VENDOR, reason: 'AWS can not be reached, failed, or took too long' },
];

const NAMES = codesOf(AWS_ANSWERS);

/** AWS's names that we don't know end like this; a receipt's word does not. */
const LIKE_A_NAME = /^[A-Z][A-Za-z]{2,50}(?:Exception|Error|Failure|Fault|Denied)$/;

/** The name of an error of AWS's, where it may be shown. */
export function shownAwsName(name: string): string {
  return NAMES.has(name) || LIKE_A_NAME.test(name) ? name : 'an unknown error';
}

export function judgeAws(name: string, status: number | undefined, message?: string): Verdict {
  return judge(AWS_ANSWERS, { code: name, status, message });
}

const DENIED =
  /is not authorized to perform: ([a-z0-9-]{1,30}:[A-Za-z]{1,60})(?: on resource: "?(arn:[\w:/.*+=,@#-]{1,300}))?/;

/**
 * Which action on which resource was denied: AWS says so in a message, of which only these two are taken.
 *
 * @returns '' where it does not say.
 * @example
 * ```ts
 * deniedAction('User: … is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/k" because …');
 * // ' (s3:PutObject on arn:aws:s3:::b/k)'
 * ```
 */
export function deniedAction(message: string): string {
  const [, action, resource] = DENIED.exec(message) ?? [];
  if (action === undefined) return '';
  return ` (${action}${resource === undefined ? '' : ` on ${resource}`})`;
}
