import type { ServiceRequest, ServiceResponse } from '../http/service.ts';
import type { AwsRequest, AwsService } from './aws_request.ts';

/** A request to AWS, and the function that makes it (undefined when a person does). */
export interface ObservedRequest extends AwsRequest {
  readonly functionName: string | undefined;
  readonly body: Buffer;
}

export type AwsFault =
  /** AWS answers with an error instead of doing it. */
  | { readonly kind: 'error'; readonly status: number; readonly code: string }
  /** The connection ends without an answer: before anything was done, or after, so that only the answer is lost. */
  | { readonly kind: 'cut'; readonly moment?: 'before' | 'after' }
  /** The function that asks dies: before it is done, or right after, without seeing the answer. */
  | { readonly kind: 'kill'; readonly moment: 'before' | 'after' }
  /** BatchWriteItem does only the first `processed` and hands the rest back. */
  | { readonly kind: 'unprocessed'; readonly processed: number };

export interface AwsFaultRule {
  readonly when: (request: ObservedRequest) => boolean;
  readonly fault: AwsFault;
  /** @default it strikes until it is removed. */
  readonly times?: number;
}

/** Faults on demand: the oldest rule that matches strikes. */
export class AwsFaults {
  readonly #rules: { readonly rule: AwsFaultRule; left: number }[] = [];

  /** @returns a function that removes the rule. */
  add(rule: AwsFaultRule): () => void {
    const entry = { rule, left: rule.times ?? Number.POSITIVE_INFINITY };
    this.#rules.push(entry);
    return () => {
      entry.left = 0;
    };
  }

  strike(request: ObservedRequest): AwsFault | undefined {
    const entry = this.#rules.find(({ rule, left }) => left > 0 && rule.when(request));
    if (entry === undefined) return undefined;
    entry.left--;
    return entry.rule.fault;
  }
}

/** An error in the service's own form. */
export function errorResponse(service: AwsService, status: number, code: string): ServiceResponse {
  if (service === 's3') {
    return {
      status,
      headers: { 'content-type': 'application/xml' },
      body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
    };
  }
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': code },
    body: JSON.stringify({ __type: code, message: code }),
  };
}

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
