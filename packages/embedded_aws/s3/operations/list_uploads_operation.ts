import { commonPrefixOf } from '../protocol/listing.ts';
import { nameEncoder, pageSize } from '../protocol/listing_parameters.ts';
import { element, textElement, xmlDocument } from '../protocol/xml_writer.ts';
import { type Operation, xmlAnswer } from '../s3_call.ts';
import type { MultipartUpload } from '../storage/multipart_upload.ts';
import { owner } from '../storage/owner.ts';
import { compareUtf8 } from '../storage/utf8_order.ts';

/** ListMultipartUploads: by key and, for one key, in the order of their creation. */
export const listMultipartUploads: Operation = ({ request, store, bucket: bucketName }) => {
  const { query } = request;
  const bucket = store.bucket(bucketName);
  const encode = nameEncoder(query);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  // S3 ignores an upload id without a key.
  const idMarker = keyMarker === '' ? '' : (query.get('upload-id-marker') ?? '');
  const limit = pageSize(query, 'max-uploads');
  const encodingType = query.get('encoding-type');

  const following = entriesOf([...bucket.uploads.values()], prefix, delimiter).filter((entry) =>
    isBehind(entry, keyMarker, idMarker),
  );
  const page = following.slice(0, limit);
  const isTruncated = limit > 0 && page.length < following.length;
  const last = page.at(-1);
  return xmlAnswer(
    xmlDocument('ListMultipartUploadsResult', [
      textElement('Bucket', bucketName),
      textElement('KeyMarker', encode(keyMarker)),
      textElement('UploadIdMarker', idMarker),
      ...(isTruncated && last !== undefined
        ? [
            textElement('NextKeyMarker', encode(last.name)),
            textElement('NextUploadIdMarker', last.upload?.id ?? ''),
          ]
        : []),
      textElement('Prefix', encode(prefix)),
      ...(delimiter === '' ? [] : [textElement('Delimiter', encode(delimiter))]),
      textElement('MaxUploads', limit),
      ...(encodingType === null ? [] : [textElement('EncodingType', encodingType)]),
      textElement('IsTruncated', isTruncated),
      ...page.map((entry) => entryElement(entry, encode)),
    ]),
  );
};

interface UploadEntry {
  /** The upload's key, or a common prefix. */
  readonly name: string;
  /** Undefined for a common prefix. */
  readonly upload: MultipartUpload | undefined;
}

function entriesOf(
  uploads: readonly MultipartUpload[],
  prefix: string,
  delimiter: string,
): UploadEntry[] {
  // A sort keeps the order of equals: the uploads of one key stay in the order of their creation.
  const sorted = uploads
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => compareUtf8(a.key, b.key));
  const seen = new Set<string>();
  return sorted.flatMap((upload): UploadEntry[] => {
    const name = commonPrefixOf(upload.key, prefix, delimiter);
    if (name === undefined) return [{ name: upload.key, upload }];
    if (seen.has(name)) return [];
    seen.add(name);
    return [{ name, upload: undefined }];
  });
}

function isBehind({ name, upload }: UploadEntry, keyMarker: string, idMarker: string): boolean {
  const order = compareUtf8(name, keyMarker);
  if (order !== 0) return order > 0;
  return upload !== undefined && idMarker !== '' && compareUtf8(upload.id, idMarker) > 0;
}

function entryElement({ name, upload }: UploadEntry, encode: (name: string) => string): string {
  if (upload === undefined) {
    return element('CommonPrefixes', [textElement('Prefix', encode(name))]);
  }
  return element('Upload', [
    textElement('Key', encode(name)),
    textElement('UploadId', upload.id),
    owner('Initiator'),
    owner('Owner'),
    textElement('StorageClass', 'STANDARD'),
    textElement('Initiated', upload.initiated.toISOString()),
  ]);
}
