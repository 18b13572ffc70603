import { checksumElementName } from '../protocol/checksum.ts';
import { pageSize, readCount } from '../protocol/listing_parameters.ts';
import { element, textElement, xmlDocument } from '../protocol/xml_writer.ts';
import { type Operation, xmlAnswer } from '../s3_call.ts';
import type { UploadedPart } from '../storage/multipart_upload.ts';
import { owner } from '../storage/owner.ts';
import { requestedUpload } from './multipart_operations.ts';

export const listParts: Operation = (call) => {
  const { query } = call.request;
  const { upload } = requestedUpload(call);
  const limit = pageSize(query, 'max-parts');
  const marker = readCount(query, 'part-number-marker', 0);
  const following = [...upload.parts.values()]
    .filter((part) => part.number > marker)
    .sort((a, b) => a.number - b.number);
  const parts = following.slice(0, limit);
  return xmlAnswer(
    xmlDocument('ListPartsResult', [
      textElement('Bucket', call.bucket),
      textElement('Key', call.key),
      textElement('UploadId', upload.id),
      owner('Initiator'),
      owner('Owner'),
      textElement('StorageClass', 'STANDARD'),
      textElement('PartNumberMarker', marker),
      textElement('NextPartNumberMarker', parts.at(-1)?.number ?? 0),
      textElement('MaxParts', limit),
      textElement('IsTruncated', limit > 0 && parts.length < following.length),
      ...parts.map(partElement),
    ]),
  );
};

function partElement({ number, body, etag, lastModified, checksum }: UploadedPart): string {
  return element('Part', [
    textElement('PartNumber', number),
    textElement('LastModified', lastModified.toISOString()),
    textElement('ETag', etag),
    textElement('Size', body.length),
    ...(checksum === undefined
      ? []
      : [textElement(checksumElementName(checksum.algorithm), checksum.value)]),
  ]);
}
