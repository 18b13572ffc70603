import type { ObservedRequest } from 'embedded-aws/aws/faults';
import { BATCH_FUNCTIONS } from './batch_stack.ts';
import { fromProcessReceipt } from './test_stack.ts';

/** The requests to AWS that processing one receipt makes (docs/architecture.md), in their order. */
const PROCESS_RECEIPT_REQUESTS = {
  'the API key': ({ operation }) => operation === 'GetSecretValue',
  'the lines': (request) => isQuery(request, '":kind":{"S":"LINE"}'),
  'the words': (request) => isQuery(request, '":kind":{"S":"WORD"}'),
  'the labels': (request) => isQuery(request, 'RECEIPT_WORD_LABEL'),
  'the metadata': ({ operation, body }) => operation === 'GetItem' && body.includes('#METADATA'),
  'the earlier runs': (request) => isQuery(request, '#COMPACTION_RUN#'),
  'a delta': ({ service, operation }) => service === 's3' && operation.startsWith('PUT '),
  'the record': ({ operation }) => operation === 'PutItem',
  'a status': ({ operation }) => operation === 'UpdateItem',
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

type Sender = keyof typeof BATCH_FUNCTIONS;

/** The requests to AWS that bring a batch from its plan to its end (docs/architecture.md), in their order. */
export const BATCH_REQUESTS = {
  'submit: the record': from('submit', 'PutItem'),
  'submit: a claim': from('submit', 'UpdateItem', '":claim"'),
  'submit: the requests': from('submit', 'PUT', '/requests.jsonl'),
  'submit: their number': from('submit', 'UpdateItem', '"#requested"'),
  'submit: the file’s id': from('submit', 'UpdateItem', '"#input_file_id"'),
  'submit: the time of the creation': from('submit', 'UpdateItem', '"#creating_since"'),
  'submit: the batch’s id': from('submit', 'UpdateItem', '"#openai_batch_id"'),
  'poll: the claim': from('status', 'UpdateItem', ':ended0'),
  'poll: the result files’ ids': from('status', 'UpdateItem', '"#result_file_id"'),
  'download: the claim': from('download', 'UpdateItem', ':ended0'),
  'download: a part': from('download', 'PUT', '/results/part-'),
  'upsert: the claim': from('upsert', 'UpdateItem', ':ended0'),
  'write: the claim': from('write', 'UpdateItem', ':ended0'),
  'write: a status': from('write', 'UpdateItem', '"SUCCESS"'),
  'write: the result rows': from('write', 'BatchWriteItem'),
  'complete: the claim': from('complete', 'UpdateItem', ':ended0'),
  'complete: the end': from('complete', 'UpdateItem', '"#completed_at"'),
  'release: a claim': from('release', 'UpdateItem', ':pending'),
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
