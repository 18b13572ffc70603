import type { ServiceRequest, WholeResponse } from '../http/service.ts';
import type { BucketStore } from './storage/bucket_store.ts';

/** One request, its address taken apart. */
export interface S3Call {
  readonly request: ServiceRequest;
  readonly store: BucketStore;
  /** `''` for a request to the service itself. */
  readonly bucket: string;
  /** Percent-decoded; `''` for a request to a bucket. */
  readonly key: string;
}

/** One of S3's operations: an answer, or an S3Error thrown. */
export type Operation = (call: S3Call) => WholeResponse;

export function xmlAnswer(body: string): WholeResponse {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}
