import type { ObservedRequest } from 'embedded-aws/aws/faults';
import { fromProcessReceipt } from './test_stack.ts';

/** The requests to AWS that processing one receipt makes (docs/architecture.md), in their order. */
export const PROCESS_RECEIPT_REQUESTS = {
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
