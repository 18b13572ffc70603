import type { ServiceRequest } from '../../http/service.ts';
import { type Address, decodeAddress } from '../../s3/protocol/address.ts';
import { readPayload } from '../../s3/protocol/payload.ts';
import { childText, readXml } from '../../s3/protocol/xml_reader.ts';
import { operationKey } from '../../s3/router.ts';
import type { Call, RequestContext } from '../call.ts';

/** The actions of S3's operations, by AWS's service authorization reference: many share one, and few have their operation's name. */
const ACTIONS: Readonly<Record<string, string>> = {
  'GET service': 'ListAllMyBuckets',
  'PUT bucket': 'CreateBucket',
  'HEAD bucket': 'ListBucket',
  'GET bucket': 'ListBucket',
  'GET bucket list-type': 'ListBucket',
  'GET bucket location': 'GetBucketLocation',
  'GET bucket uploads': 'ListBucketMultipartUploads',
  'POST bucket delete': 'DeleteObject',
  'PUT object': 'PutObject',
  'PUT object copy': 'PutObject',
  'GET object': 'GetObject',
  'HEAD object': 'GetObject',
  'DELETE object': 'DeleteObject',
  'POST object uploads': 'PutObject',
  'PUT object uploadId': 'PutObject',
  'POST object uploadId': 'PutObject',
  'GET object uploadId': 'ListMultipartUploadParts',
  'DELETE object uploadId': 'AbortMultipartUpload',
};

/** @returns none for an operation that the stand-in refuses anyway. */
export function s3Calls(request: ServiceRequest): Call[] {
  const address = decodeAddress(request.path);
  const operation = operationKey(request, address);
  const name = ACTIONS[operation];
  if (name === undefined) return [];
  const action = `s3:${name}`;
  switch (operation) {
    case 'GET service':
      return [{ action, resource: '*' }];
    case 'GET bucket':
    case 'GET bucket list-type':
      return [{ action, resource: bucketArn(address), context: listContext(request.query) }];
    case 'POST bucket delete':
      return deletedKeys(request).map((key) => ({
        action,
        resource: objectArn({ ...address, key }),
      }));
    case 'PUT object copy':
      return [
        { action: 's3:GetObject', resource: objectArn(copySource(request)) },
        { action, resource: objectArn(address) },
      ];
    default:
      return [{ action, resource: address.key === '' ? bucketArn(address) : objectArn(address) }];
  }
}

/**
 * What S3 tells those alone who may list the bucket: that an object is not there. Reading names no prefix, so the right to
 * list the keys under one is not enough.
 */
export function callToLearnOfAbsence(request: ServiceRequest): Call | undefined {
  const address = decodeAddress(request.path);
  return READS.has(operationKey(request, address))
    ? { action: 's3:ListBucket', resource: bucketArn(address) }
    : undefined;
}

const READS = new Set(['GET object', 'HEAD object']);

function deletedKeys(request: ServiceRequest): string[] {
  return readXml(readPayload(request).body.toString())
    .children.filter(({ name }) => name === 'Object')
    .map((object) => childText(object, 'Key') ?? '');
}

/** `/bucket/key?versionId=…`, with or without the first slash. */
function copySource({ headers }: ServiceRequest): Address {
  const [path = ''] = String(headers['x-amz-copy-source']).split('?');
  return decodeAddress(path.startsWith('/') ? path : `/${path}`);
}

function listContext(query: URLSearchParams): RequestContext {
  const prefix = query.get('prefix');
  const delimiter = query.get('delimiter');
  return {
    ...(prefix === null ? {} : { 's3:prefix': prefix }),
    ...(delimiter === null ? {} : { 's3:delimiter': delimiter }),
  };
}

const bucketArn = ({ bucket }: Address): string => `arn:aws:s3:::${bucket}`;
const objectArn = ({ bucket, key }: Address): string => `arn:aws:s3:::${bucket}/${key}`;
