import type { ObservedRequest } from 'embedded-aws/aws/faults';
import { BATCH_FUNCTIONS } from './batch_stack.ts';
import { fromProcessReceipt } from './test_stack.ts';

/** The requests to AWS that processing one receipt makes (docs/architecture.md), in their order. */
const PROCESS_RECEIPT_REQUESTS = {
  'the API key': ({ operation }) => operation === 'GetSecretValue',
  'the record': ({ operation, body }) => operation === 'GetItem' && body.includes('"EMBEDDING#'),
  'the lines': (request) => isQuery(request, '":kind":{"S":"LINE"}'),
  'the words': (request) => isQuery(request, '":kind":{"S":"WORD"}'),
  'the labels': (request) => isQuery(request, 'RECEIPT_WORD_LABEL'),
  'the metadata': ({ operation, body }) => operation === 'GetItem' && body.includes('#METADATA'),
  'a delta': ({ service, operation }) => service === 's3' && operation.startsWith('PUT '),
  /** The first says what the log has, the second what the stores have. */
  'the run': (request) => isPut(request, 'EMBEDDED_RECEIPT'),
  'the order': (request) => isPut(request, 'COMPACTION_RUN'),
  'the vectors': ({ operation }) => operation === 'PutVectors',
  'a status': ({ operation }) => operation === 'BatchExecuteStatement',
} satisfies Record<string, (request: ObservedRequest) => boolean>;

export type ProcessReceiptRequest = keyof typeof PROCESS_RECEIPT_REQUESTS;

/** Finds requests of one kind, beginning with the nth (1 is the first) from now on. */
export function nth(kind: ProcessReceiptRequest, n = 1): (request: ObservedRequest) => boolean {
  let seen = 0;
  return (request) => {
    if (!fromProcessReceipt(request) || !PROCESS_RECEIPT_REQUESTS[kind](request)) return false;
    seen++;
    return seen >= n;
  };
}

function isQuery({ operation, body }: ObservedRequest, part: string): boolean {
  return operation === 'Query' && body.includes(part);
}

function isPut({ operation, body }: ObservedRequest, type: string): boolean {
  return operation === 'PutItem' && body.includes(`"TYPE":{"S":"${type}"}`);
}

type Sender = keyof typeof BATCH_FUNCTIONS;

/** The requests to AWS that bring a batch from its plan to its end (docs/architecture.md), in their order. */
export const BATCH_REQUESTS = {
  'submit: the record': from('submit', 'PutItem'),
  'submit: a claim': from('submit', 'BatchExecuteStatement', '"PENDING"'),
  'submit: the requests': from('submit', 'PUT', '/requests.jsonl'),
  'submit: their number': from('submit', 'UpdateItem', '"#requested"'),
  'submit: the file’s id': from('submit', 'UpdateItem', '"#input_file_id"'),
  'submit: the time of the creation': from('submit', 'UpdateItem', '"#creating_since"'),
  'submit: the batch’s id': from('submit', 'UpdateItem', '"#openai_batch_id"'),
  'poll: the claim': from('status', 'UpdateItem', ':ended0'),
  'poll: the result files’ ids': from('status', 'UpdateItem', '"#result_file_id"'),
  'download: the claim': from('download', 'UpdateItem', ':ended0'),
  'download: a part': from('download', 'PUT', '/results/part-'),
  'log: a delta': from('log', 'PUT', '/delta.tar.gz'),
  'log: a record': from('log', 'PutItem', '"EMBEDDED_RECEIPT"'),
  'log: what the stores get': from('log', 'PUT', '.records.jsonl'),
  'upsert: the claim': from('upsert', 'UpdateItem', ':ended0'),
  'upsert: the vectors in S3': from('upsertToS3Vectors', 'PutVectors'),
  'upsert: what S3 refused': from('upsertToS3Vectors', 'PUT', '.refused-s3_vectors.jsonl'),
  'write: the claim': from('write', 'UpdateItem', ':ended0'),
  'write: a status': from('write', 'BatchExecuteStatement', '"SUCCESS"'),
  'write: a record': from('write', 'PutItem', '"EMBEDDED_RECEIPT"'),
  'write: the result rows': from('write', 'BatchWriteItem'),
  'complete: the claim': from('complete', 'UpdateItem', ':ended0'),
  'complete: the end': from('complete', 'UpdateItem', '"#completed_at"'),
  'release: a claim': from('release', 'BatchExecuteStatement'),
  'release: the end': from('release', 'UpdateItem', '"#completed_at"'),
} satisfies Record<string, (request: ObservedRequest) => boolean>;

export type BatchRequest = keyof typeof BATCH_REQUESTS;

/** Which of them a request is. */
export function batchRequestOf(request: ObservedRequest): BatchRequest | undefined {
  return (Object.keys(BATCH_REQUESTS) as BatchRequest[]).find((name) =>
    BATCH_REQUESTS[name](request),
  );
}

/** For DynamoDB `part` is looked for in the body, for S3 in the path. */
function from(sender: Sender, operation: string, part = ''): (request: ObservedRequest) => boolean {
  return (request) =>
    request.functionName === BATCH_FUNCTIONS[sender] &&
    (request.service === 's3'
      ? request.operation.startsWith(`${operation} `) && request.operation.includes(part)
      : request.operation === operation && request.body.includes(part));
}
