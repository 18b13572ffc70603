import { decodeAddress } from '../protocol/address.ts';
import { checksumElements } from '../protocol/checksum.ts';
import { requireCopySource, requireWritable } from '../protocol/precondition.ts';
import { requestHeader } from '../protocol/request_header.ts';
import { invalidArgument, invalidRequest, noSuchKey } from '../protocol/s3_error.ts';
import { requireCurrentVersion, requireSupportedWrite } from '../protocol/supported_request.ts';
import { textElement, xmlDocument } from '../protocol/xml_writer.ts';
import { type Operation, xmlAnswer } from '../s3_call.ts';
import type { StoredObject } from '../storage/bucket.ts';
import type { BucketStore } from '../storage/bucket_store.ts';
import { readDescription } from '../storage/object_description.ts';
import { newObject } from '../storage/object_version.ts';

export const copyObject: Operation = ({ request, store, bucket: bucketName, key }) => {
  const { headers } = request;
  const bucket = store.bucket(bucketName);
  requireSupportedWrite(headers);
  const source = readSource(requestHeader(headers, 'x-amz-copy-source') ?? '', store);
  const replaces = replacesMetadata(requestHeader(headers, 'x-amz-metadata-directive'));
  if (source.bucket === bucketName && source.key === key && !replaces) {
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  requireCopySource(headers, source.object);
  requireWritable(headers, key, bucket.get(key));
  const description = replaces ? readDescription(headers) : source.object;
  const { body, checksum } = source.object;
  // A composite checksum is of the parts, and the copy has none: it is written in one piece.
  const kept = checksum?.type === 'FULL_OBJECT' ? checksum : undefined;
  const copy = newObject(body, description, store.now(), kept);
  bucket.put(key, copy);
  return xmlAnswer(
    xmlDocument('CopyObjectResult', [
      textElement('LastModified', copy.lastModified.toISOString()),
      textElement('ETag', copy.etag),
      ...checksumElements(kept),
    ]),
  );
};

interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly object: StoredObject;
}

function readSource(header: string, store: BucketStore): CopySource {
  const at = header.indexOf('?');
  const path = at < 0 ? header : header.slice(0, at);
  const query = new URLSearchParams(at < 0 ? '' : header.slice(at + 1));
  const { bucket, key } = decodeAddress(path.startsWith('/') ? path : `/${path}`);
  if (bucket === '' || key === '') {
    throw invalidArgument(
      'x-amz-copy-source',
      header,
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    );
  }
  requireCurrentVersion(query);
  const object = store.bucket(bucket).get(key);
  if (object === undefined) throw noSuchKey(key);
  return { bucket, key, object };
}

function replacesMetadata(directive: string | undefined): boolean {
  if (directive !== undefined && directive !== 'COPY' && directive !== 'REPLACE') {
    throw invalidArgument('x-amz-metadata-directive', directive, 'Unknown metadata directive.');
  }
  return directive === 'REPLACE';
}
