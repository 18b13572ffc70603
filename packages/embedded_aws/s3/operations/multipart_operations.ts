import type { IncomingHttpHeaders } from 'node:http';
import {
  type Checksum,
  checksumAlgorithms,
  checksumElementName,
  checksumElements,
  checksumHeaders,
  type ChecksumType,
  isChecksumValue,
} from '../protocol/checksum.ts';
import { readPayload } from '../protocol/payload.ts';
import { requireWritable } from '../protocol/precondition.ts';
import { requestHeader } from '../protocol/request_header.ts';
import {
  invalidArgument,
  invalidRequest,
  malformedXml,
  noSuchUpload,
} from '../protocol/s3_error.ts';
import { requireLength, requireSupportedWrite } from '../protocol/supported_request.ts';
import { childText, readXml, type XmlElement } from '../protocol/xml_reader.ts';
import { textElement, xmlDocument } from '../protocol/xml_writer.ts';
import { type Operation, type S3Call, xmlAnswer } from '../s3_call.ts';
import type { Bucket } from '../storage/bucket.ts';
import { assemble, type ListedPart, type MultipartUpload } from '../storage/multipart_upload.ts';
import { readDescription } from '../storage/object_description.ts';
import { etagOf } from '../storage/object_version.ts';

/** AWS's limit for the parts of one upload. */
const partLimit = 10_000;

export const createMultipartUpload: Operation = ({ request, store, bucket: name, key }) => {
  const { headers } = request;
  const bucket = store.bucket(name);
  requireSupportedWrite(headers);
  const checksum = readChecksumPlan(headers);
  const upload: MultipartUpload = {
    id: store.nextUploadId(),
    key,
    initiated: store.now(),
    description: readDescription(headers),
    checksum,
    parts: new Map(),
  };
  bucket.uploads.set(upload.id, upload);
  const answer = xmlAnswer(
    xmlDocument('InitiateMultipartUploadResult', [
      textElement('Bucket', name),
      textElement('Key', key),
      textElement('UploadId', upload.id),
    ]),
  );
  if (checksum === undefined) return answer;
  return {
    ...answer,
    headers: {
      ...answer.headers,
      'x-amz-checksum-algorithm': checksum.algorithm.toUpperCase(),
      'x-amz-checksum-type': checksum.type,
    },
  };
};

export const uploadPart: Operation = (call) => {
  const { request, store } = call;
  const { upload } = requestedUpload(call);
  requireLength(request.headers);
  const text = request.query.get('partNumber') ?? '';
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > partLimit) {
    throw invalidArgument(
      'partNumber',
      text,
      'Part number must be an integer between 1 and 10000, inclusive',
    );
  }
  const { body, checksum } = readPayload(request);
  const etag = etagOf(body);
  upload.parts.set(number, { number, body, etag, lastModified: store.now(), checksum });
  return { status: 200, headers: { etag, ...checksumHeaders(checksum) } };
};

export const completeMultipartUpload: Operation = (call) => {
  const { request, store, bucket: bucketName, key } = call;
  const { bucket, upload } = requestedUpload(call);
  const listed = readPartList(request.body.toString());
  const declared = readDeclaredChecksum(request.headers);
  const object = assemble(upload, listed, declared, store.now());
  requireWritable(request.headers, key, bucket.get(key));
  bucket.put(key, object);
  bucket.uploads.delete(upload.id);
  const host = requestHeader(request.headers, 'host') ?? 'localhost';
  return xmlAnswer(
    xmlDocument('CompleteMultipartUploadResult', [
      textElement('Location', `http://${host}${request.path}`),
      textElement('Bucket', bucketName),
      textElement('Key', key),
      textElement('ETag', object.etag),
      ...checksumElements(object.checksum),
    ]),
  );
};

export const abortMultipartUpload: Operation = (call) => {
  const { bucket, upload } = requestedUpload(call);
  bucket.uploads.delete(upload.id);
  return { status: 204 };
};

/** @throws S3Error NoSuchUpload, for an upload of another key too. */
export function requestedUpload({ request, store, bucket: name, key }: S3Call): {
  readonly bucket: Bucket;
  readonly upload: MultipartUpload;
} {
  const bucket = store.bucket(name);
  const id = request.query.get('uploadId') ?? '';
  const upload = bucket.uploads.get(id);
  if (upload?.key !== key) throw noSuchUpload(id);
  return { bucket, upload };
}

function readChecksumPlan(headers: IncomingHttpHeaders): MultipartUpload['checksum'] {
  const algorithm = requestHeader(headers, 'x-amz-checksum-algorithm')?.toLowerCase();
  if (algorithm === undefined) return undefined;
  if (!checksumAlgorithms.includes(algorithm)) {
    throw invalidRequest('Checksum algorithm provided is unsupported.');
  }
  const type = requestHeader(headers, 'x-amz-checksum-type')?.toUpperCase();
  return { algorithm, type: readChecksumType(type) ?? defaultChecksumType(algorithm) };
}

function readChecksumType(type: string | undefined): ChecksumType | undefined {
  if (type === undefined || type === 'FULL_OBJECT' || type === 'COMPOSITE') return type;
  throw invalidRequest('Value for x-amz-checksum-type header is invalid.');
}

/** crc64nvme has no composite form. */
function defaultChecksumType(algorithm: string): ChecksumType {
  return algorithm === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE';
}

/** Of the whole object, not of the request's own body, which is the list of parts. */
function readDeclaredChecksum(headers: IncomingHttpHeaders): Checksum | undefined {
  for (const algorithm of checksumAlgorithms) {
    const value = requestHeader(headers, `x-amz-checksum-${algorithm}`);
    if (value === undefined) continue;
    const type = /-\d+$/.test(value) ? 'COMPOSITE' : 'FULL_OBJECT';
    if (!isChecksumValue(algorithm, value.replace(/-\d+$/, ''))) {
      throw invalidRequest(`Value for x-amz-checksum-${algorithm} header is invalid.`);
    }
    return { algorithm, value, type };
  }
  return undefined;
}

function readPartList(source: string): ListedPart[] {
  const root = readXml(source);
  if (root.name !== 'CompleteMultipartUpload') throw malformedXml();
  return root.children.filter(({ name }) => name === 'Part').map(readListedPart);
}

function readListedPart(part: XmlElement): ListedPart {
  const number = childText(part, 'PartNumber') ?? '';
  const etag = childText(part, 'ETag');
  if (etag === undefined || !/^\d+$/.test(number)) throw malformedXml();
  const checksums = checksumAlgorithms.flatMap((algorithm) => {
    const value = childText(part, checksumElementName(algorithm));
    return value === undefined ? [] : [[algorithm, value] as const];
  });
  return { number: Number(number), etag, checksums: new Map(checksums) };
}
