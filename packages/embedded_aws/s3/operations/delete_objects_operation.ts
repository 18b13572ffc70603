import { readPayload } from '../protocol/payload.ts';
import { requireMatch } from '../protocol/precondition.ts';
import { requestHeader } from '../protocol/request_header.ts';
import { invalidRequest, malformedXml, S3Error } from '../protocol/s3_error.ts';
import { childText, readXml, type XmlElement } from '../protocol/xml_reader.ts';
import { element, textElement, xmlDocument } from '../protocol/xml_writer.ts';
import { type Operation, xmlAnswer } from '../s3_call.ts';
import type { Bucket } from '../storage/bucket.ts';

/** AWS's limit for one DeleteObjects request. */
const objectLimit = 1000;

export const deleteObjects: Operation = ({ request, store, bucket: bucketName }) => {
  const bucket = store.bucket(bucketName);
  const { body, checksum } = readPayload(request);
  if (checksum === undefined && requestHeader(request.headers, 'content-md5') === undefined) {
    throw invalidRequest(
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    );
  }
  const root = readXml(body.toString());
  const objects = root.children.filter(({ name }) => name === 'Object');
  if (root.name !== 'Delete' || objects.length === 0 || objects.length > objectLimit) {
    throw malformedXml();
  }
  const isQuiet = childText(root, 'Quiet') === 'true';
  const results = objects.map((object) => deleteOne(bucket, object));
  const reported = results.filter(({ failed }) => failed || !isQuiet);
  return xmlAnswer(
    xmlDocument(
      'DeleteResult',
      reported.map(({ xml }) => xml),
    ),
  );
};

interface Deletion {
  readonly failed: boolean;
  readonly xml: string;
}

function deleteOne(bucket: Bucket, object: XmlElement): Deletion {
  const key = childText(object, 'Key');
  if (key === undefined || key === '') throw malformedXml();
  try {
    requireVersion(childText(object, 'VersionId'));
    requireMatch(childText(object, 'ETag'), key, bucket.get(key));
    bucket.delete(key);
    return { failed: false, xml: element('Deleted', [textElement('Key', key)]) };
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    const report = [
      textElement('Key', key),
      textElement('Code', error.code),
      textElement('Message', error.message),
    ];
    return { failed: true, xml: element('Error', report) };
  }
}

function requireVersion(version: string | undefined): void {
  if (version === undefined || version === 'null') return;
  throw new S3Error(404, 'NoSuchVersion', 'The specified version does not exist.');
}
