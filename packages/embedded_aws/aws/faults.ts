import type { Fault, FaultRule } from '../http/faults.ts';
import type { ServiceRequest, ServiceResponse } from '../http/service.ts';
import { errorAnswer, S3Error } from '../s3/answers.ts';
import type { AwsService, ObservedRequest } from './aws_edge.ts';

export type { ObservedRequest } from './aws_edge.ts';

/** What only AWS does to a request. */
export type OwnAwsFault =
  /** The function that asks dies: before the request is performed, or right after, without seeing the answer. */
  | { readonly kill: true; readonly moment: 'before' | 'after' }
  /** BatchWriteItem writes only the first so many entries and returns the rest as unprocessed. */
  | { readonly processed: number };

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

/** An error in the service's own form. */
export function awsError(
  service: AwsService,
  status: number,
  code: string,
  message: string,
): ServiceResponse {
  if (service === 's3') return errorAnswer(new S3Error(status, code, message));
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
