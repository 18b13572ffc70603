import type { ServiceRequest } from '../http/service.ts';
import {
  createBucket,
  getBucketLocation,
  headBucket,
  listBuckets,
} from './operations/bucket_operations.ts';
import { copyObject } from './operations/copy_operation.ts';
import { deleteObjects } from './operations/delete_objects_operation.ts';
import { listObjects, listObjectsV2 } from './operations/list_objects_operations.ts';
import { listParts } from './operations/list_parts_operation.ts';
import { listMultipartUploads } from './operations/list_uploads_operation.ts';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  uploadPart,
} from './operations/multipart_operations.ts';
import { deleteObject, getObject, headObject, putObject } from './operations/object_operations.ts';
import type { Address } from './protocol/address.ts';
import { notImplemented, S3Error } from './protocol/s3_error.ts';
import type { Operation } from './s3_call.ts';

/** By method, level and subresource. */
const operations: Readonly<Record<string, Operation>> = {
  'GET service': listBuckets,
  'PUT bucket': createBucket,
  'HEAD bucket': headBucket,
  'GET bucket': listObjects,
  'GET bucket list-type': listObjectsV2,
  'GET bucket location': getBucketLocation,
  'GET bucket uploads': listMultipartUploads,
  'POST bucket delete': deleteObjects,
  'PUT object': putObject,
  'GET object': getObject,
  'HEAD object': headObject,
  'DELETE object': deleteObject,
  'PUT object copy': copyObject,
  'POST object uploads': createMultipartUpload,
  'PUT object uploadId': uploadPart,
  'POST object uploadId': completeMultipartUpload,
  'GET object uploadId': listParts,
  'DELETE object uploadId': abortMultipartUpload,
};

/** The query parameters by which S3 tells operations apart; every other one is a setting of its operation. */
const subresources = [
  'list-type',
  'location',
  'uploads',
  'uploadId',
  'delete',
  'abac',
  'accelerate',
  'acl',
  'analytics',
  'attributes',
  'cors',
  'encryption',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'lifecycle',
  'logging',
  'metadataConfiguration',
  'metadataTable',
  'metrics',
  'notification',
  'object-lock',
  'ownershipControls',
  'policy',
  'policyStatus',
  'publicAccessBlock',
  'renameObject',
  'replication',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'session',
  'tagging',
  'torrent',
  'versioning',
  'versions',
  'website',
] as const;

/**
 * Finds the operation that a request asks for.
 *
 * @throws S3Error NotImplemented, naming the operation; MethodNotAllowed
 */
export function route(request: ServiceRequest, address: Address): Operation {
  const { method, level, variant } = asked(request, address);
  const operation = operations[operationKey(request, address)];
  if (operation !== undefined) return operation;
  if (verbs[method] === undefined) {
    throw new S3Error(
      405,
      'MethodNotAllowed',
      'The specified method is not allowed against this resource.',
      { Method: method },
    );
  }
  throw notImplemented(operationName(method, level, variant));
}

/** What a request asks for: its method, level, subresource, and whether it copies (`PUT object copy`). */
export function operationKey(request: ServiceRequest, address: Address): string {
  const { method, level, variant } = asked(request, address);
  return [method, level, ...variant].join(' ');
}

function asked({ method, query, headers }: ServiceRequest, { bucket, key }: Address) {
  const level = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object';
  const subresource = subresources.find((name) => query.has(name));
  const copies = method === 'PUT' && headers['x-amz-copy-source'] !== undefined;
  const variant = [subresource, copies ? 'copy' : undefined].filter((part) => part !== undefined);
  return { method, level, variant };
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'Get',
  HEAD: 'Head',
  PUT: 'Put',
  POST: 'Post',
  DELETE: 'Delete',
};

/** The names that don't follow AWS's own pattern. */
const irregularNames: Readonly<Record<string, string>> = {
  'GET bucket versions': 'ListObjectVersions',
  'GET bucket object-lock': 'GetObjectLockConfiguration',
  'PUT object uploadId copy': 'UploadPartCopy',
  'POST bucket': 'PostObject',
};

/** What AWS calls it: `GET /bucket?versioning` is GetBucketVersioning. */
function operationName(method: string, level: string, variant: readonly string[]): string {
  const irregular = irregularNames[[method, level, ...variant].join(' ')];
  if (irregular !== undefined) return irregular;
  return [verbs[method] ?? method, level, ...variant]
    .flatMap((part) => part.split('-'))
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
