import type { ObservedRequest } from 'embedded-aws/aws/faults';
import { BATCH_FUNCTIONS } from './batch_stack.ts';

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
