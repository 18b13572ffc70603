import type { WholeResponse } from '../http/service.ts';

/** An error of SQS: its code is what clients switch on. */
export class SqsError extends Error {
  override readonly name = 'SqsError';
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = STATUSES[code] ?? 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** The errors that SQS answers with another status than 400, by its service model. */
const STATUSES: Readonly<Record<string, number>> = {
  OverLimit: 403,
  PurgeQueueInProgress: 403,
  ReceiptHandleIsInvalid: 404,
};

/**
 * What the query protocol, which SQS spoke before JSON, calls those errors that have another name in it. Clients that are older
 * than the JSON protocol (and the AWS CLI) switch on these names, which come in a header.
 */
const QUERY_CODES: Readonly<Record<string, string>> = {
  AccessDeniedException: 'AccessDenied',
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  ...Object.fromEntries(
    [
      'BatchEntryIdsNotDistinct',
      'BatchRequestTooLong',
      'EmptyBatchRequest',
      'InvalidBatchEntryId',
      'MessageNotInflight',
      'PurgeQueueInProgress',
      'TooManyEntriesInBatchRequest',
      'UnsupportedOperation',
    ].map((code) => [code, `AWS.SimpleQueueService.${code}`]),
  ),
};

export function answer(body: object): WholeResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify(body),
  };
}

export function errorAnswer({ code, status, message }: SqsError): WholeResponse {
  const party = status < 500 ? 'Sender' : 'Receiver';
  return {
    status,
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-query-error': `${QUERY_CODES[code] ?? code};${party}`,
    },
    body: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message }),
  };
}
