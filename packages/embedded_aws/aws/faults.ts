import type { Fault, FaultRule } from '../http/faults.ts';
import type { Service, ServiceRequest, ServiceResponse } from '../http/service.ts';
import { errorAnswer, S3Error } from '../s3/answers.ts';
import { errorAnswer as vectorsErrorAnswer, VectorsError } from '../s3_vectors/answers.ts';
import { errorAnswer as sqsErrorAnswer, SqsError } from '../sqs/answers.ts';
import type { AwsService, ObservedRequest } from './aws_edge.ts';
import type { SignatureProblem } from './signature.ts';

export type { ObservedRequest } from './aws_edge.ts';

/** What only AWS does to a request. */
export type OwnAwsFault =
  /** The function that asks dies: before the request is performed, or right after, without seeing the answer. */
  | {
      readonly kill: true;
      readonly moment: 'before' | 'after';
      /** Of a BatchExecuteStatement, so many statements are executed before it dies. @default all */
      readonly executed?: number;
    }
  /** BatchWriteItem writes only the first so many entries and returns the rest as unprocessed. */
  | { readonly processed: number }
  /** BatchExecuteStatement executes only the first so many statements; the others have this error. */
  | { readonly executed: number; readonly code: string };

export type AwsFault = Fault<OwnAwsFault>;
export type AwsFaultRule = FaultRule<ObservedRequest, OwnAwsFault>;

interface WriteBatch {
  readonly RequestItems: Readonly<Record<string, readonly unknown[]>>;
}

/** A BatchWriteItem cut in two: what is done (undefined: nothing), and what comes back unprocessed. */
export function splitBatch(
  request: ServiceRequest,
  processed: number,
): { readonly done: ServiceRequest | undefined; readonly unprocessed: WriteBatch['RequestItems'] } {
  const batch = JSON.parse(request.body.toString()) as WriteBatch;
  const part = (from: number, to?: number): WriteBatch['RequestItems'] =>
    Object.fromEntries(
      Object.entries(batch.RequestItems)
        .map(([table, items]) => [table, items.slice(from, to)] as const)
        // A table without entries is not named at all, and a batch of none is refused.
        .filter(([, items]) => items.length > 0),
    );
  const RequestItems = part(0, processed);
  const body = Buffer.from(JSON.stringify({ ...batch, RequestItems }));
  return {
    done: Object.keys(RequestItems).length === 0 ? undefined : { ...request, body },
    unprocessed: part(processed),
  };
}

interface StatementBatch {
  readonly Statements: readonly unknown[];
}

interface StatementAnswers {
  readonly Responses: readonly unknown[];
}

/** A BatchExecuteStatement of which only the first so many statements are executed. */
export async function executePart(
  request: ServiceRequest,
  { executed, code }: { readonly executed: number; readonly code: string },
  serve: Service,
): Promise<ServiceResponse> {
  const batch = JSON.parse(request.body.toString()) as StatementBatch;
  const failed = batch.Statements.slice(executed).map(() => ({
    Error: { Code: code, Message: code },
  }));
  if (failed.length === batch.Statements.length) return answered(failed);
  const part = { ...batch, Statements: batch.Statements.slice(0, executed) };
  const response = await serve({ ...request, body: Buffer.from(JSON.stringify(part)) });
  if (response.status !== 200) return response;
  const { Responses } = JSON.parse(response.body as string) as StatementAnswers;
  return answered([...Responses, ...failed]);
}

function answered(Responses: readonly unknown[]): ServiceResponse {
  return { status: 200, body: JSON.stringify({ Responses }) };
}

/** An error in the service's own form. */
export function awsError(
  service: AwsService,
  status: number,
  code: string,
  message: string,
): ServiceResponse {
  if (service === 's3') return errorAnswer(new S3Error(status, code, message));
  if (service === 's3vectors') return vectorsErrorAnswer(new VectorsError(status, code, message));
  if (service === 'sqs') return sqsErrorAnswer(new SqsError(code, message, status));
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': code },
    body: JSON.stringify({ __type: code, message, Message: message }),
  };
}

/** What the embedded AWS answers to an operation of AWS that it does not have. */
export function notImplemented(service: AwsService, operation: string): ServiceResponse {
  const message = `${operation} is not implemented by the embedded AWS.`;
  return awsError(service, 501, 'NotImplemented', message);
}

interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** What S3 says of a signature, always with 403. */
const S3_REFUSALS: Readonly<Record<SignatureProblem, Refusal>> = {
  missing: { code: 'AccessDenied', message: 'Access Denied: the request is not signed.' },
  incomplete: {
    code: 'AuthorizationHeaderMalformed',
    message:
      'The authorization header is malformed: Signature Version 4 in a header, of the host and all x-amz- headers, is expected.',
  },
  unknown_key: {
    code: 'InvalidAccessKeyId',
    message: 'The AWS Access Key Id you provided does not exist in our records.',
  },
  wrong_token: {
    code: 'InvalidToken',
    message: 'The provided token is malformed or otherwise invalid.',
  },
  wrong: {
    code: 'SignatureDoesNotMatch',
    message:
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  },
};

/** What the others say. */
const REFUSALS: Readonly<Record<SignatureProblem, Refusal>> = {
  missing: {
    code: 'MissingAuthenticationTokenException',
    message: 'Request is missing Authentication Token',
  },
  incomplete: {
    code: 'IncompleteSignatureException',
    message:
      'Authorization header requires Signature Version 4 of the host and all x-amz- headers, with a date of the same day.',
  },
  unknown_key: {
    code: 'UnrecognizedClientException',
    message: 'The security token included in the request is invalid.',
  },
  wrong_token: {
    code: 'UnrecognizedClientException',
    message: 'The security token included in the request is invalid.',
  },
  wrong: {
    code: 'InvalidSignatureException',
    message:
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
  },
};

/** Whoever restarts the embedded AWS and keeps the exports of its predecessor sees this. */
const HINT = ' The keys of the embedded AWS are made anew at each start.';

/** What the service answers to a request that is not signed as it must be. */
export function signatureRefusal(service: AwsService, problem: SignatureProblem): ServiceResponse {
  const { code, message } = (service === 's3' ? S3_REFUSALS : REFUSALS)[problem];
  const status = ['s3', 's3vectors', 'lambda', 'sqs'].includes(service) ? 403 : 400;
  return awsError(service, status, code, message + (problem === 'missing' ? '' : HINT));
}

interface BodyBound {
  readonly maxBytes: number;
  readonly status: number;
  readonly code: string;
}

const MIB = 1_024 * 1_024;

/** How large a request may be: at least as large as its service takes it; an object of S3 may have 5 GB on AWS. */
const BODY_BOUNDS: Readonly<Record<AwsService, BodyBound>> = {
  dynamodb: { maxBytes: 16 * MIB, status: 413, code: 'RequestEntityTooLargeException' },
  lambda: { maxBytes: 6 * MIB, status: 413, code: 'RequestTooLargeException' },
  logs: { maxBytes: MIB, status: 413, code: 'RequestEntityTooLargeException' },
  s3: { maxBytes: 1_024 * MIB, status: 400, code: 'EntityTooLarge' },
  // Which error is answered to more is not documented.
  s3vectors: { maxBytes: 20 * MIB, status: 400, code: 'ValidationException' },
  secretsmanager: { maxBytes: MIB, status: 413, code: 'RequestEntityTooLargeException' },
  // A batch of 1 MiB, each character of it escaped.
  sqs: { maxBytes: 8 * MIB, status: 413, code: 'RequestEntityTooLarge' },
  // An input of 256 KB, each character of it escaped.
  states: { maxBytes: 2 * MIB, status: 413, code: 'RequestEntityTooLargeException' },
};

/** How large a request to the service may be, and what it answers to a larger one. */
export function bodyBound(service: AwsService): {
  readonly maxBytes: number;
  readonly tooLarge: () => ServiceResponse;
} {
  const { maxBytes, status, code } = BODY_BOUNDS[service];
  const message = `The request's body is larger than ${maxBytes} bytes, the most that the embedded AWS takes.`;
  return { maxBytes, tooLarge: () => awsError(service, status, code, message) };
}

const INTERNAL_ERRORS: Readonly<Record<AwsService, string>> = {
  dynamodb: 'InternalServerError',
  lambda: 'ServiceException',
  logs: 'ServiceUnavailableException',
  s3: 'InternalError',
  s3vectors: 'InternalServerException',
  secretsmanager: 'InternalServiceError',
  sqs: 'InternalError',
  states: 'InternalFailure',
};

/** A failure of the embedded AWS itself, as the service would name its own. */
export function internalError(service: AwsService, error: unknown): ServiceResponse {
  const message = error instanceof Error ? error.message : String(error);
  return awsError(service, 500, INTERNAL_ERRORS[service], message);
}
