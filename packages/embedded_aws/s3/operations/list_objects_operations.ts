import { type ListingPage, listPage } from '../protocol/listing.ts';
import { nameEncoder, pageSize } from '../protocol/listing_parameters.ts';
import { invalidArgument } from '../protocol/s3_error.ts';
import { element, textElement, xmlDocument } from '../protocol/xml_writer.ts';
import { type Operation, xmlAnswer } from '../s3_call.ts';
import type { Bucket } from '../storage/bucket.ts';
import { owner } from '../storage/owner.ts';

/** ListObjectsV2: pages go on from an opaque token. */
export const listObjectsV2: Operation = ({ request, store, bucket: bucketName }) => {
  const { query } = request;
  const bucket = store.bucket(bucketName);
  const encode = nameEncoder(query);
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const listing = list(bucket, query, token === null ? (startAfter ?? '') : decodeToken(token));
  const { keys, commonPrefixes, next } = listing.page;
  return xmlAnswer(
    xmlDocument('ListBucketResult', [
      ...listing.header(encode),
      ...(startAfter === null ? [] : [textElement('StartAfter', encode(startAfter))]),
      ...(token === null ? [] : [textElement('ContinuationToken', token)]),
      ...(next === undefined ? [] : [textElement('NextContinuationToken', encodeToken(next))]),
      textElement('KeyCount', keys.length + commonPrefixes.length),
      ...entries(bucket, listing.page, encode, query.get('fetch-owner') === 'true'),
    ]),
  );
};

/** ListObjects, version 1: pages go on from a key or a common prefix. */
export const listObjects: Operation = ({ request, store, bucket: bucketName }) => {
  const { query } = request;
  const bucket = store.bucket(bucketName);
  const encode = nameEncoder(query);
  const marker = query.get('marker') ?? '';
  const listing = list(bucket, query, marker);
  const { next } = listing.page;
  // Without a delimiter the last key is the marker, and S3 leaves it to the client to see that.
  const named = query.get('delimiter') ? next : undefined;
  return xmlAnswer(
    xmlDocument('ListBucketResult', [
      ...listing.header(encode),
      textElement('Marker', encode(marker)),
      ...(named === undefined ? [] : [textElement('NextMarker', encode(named))]),
      ...entries(bucket, listing.page, encode, true),
    ]),
  );
};

interface Listing {
  readonly page: ListingPage;
  /** The elements that both versions begin with. */
  header(encode: (name: string) => string): string[];
}

function list(bucket: Bucket, query: URLSearchParams, after: string): Listing {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const limit = pageSize(query, 'max-keys');
  const page = listPage(bucket.sortedKeys(), { prefix, delimiter, after, limit });
  const encodingType = query.get('encoding-type');
  return {
    page,
    header: (encode) => [
      textElement('Name', bucket.name),
      textElement('Prefix', encode(prefix)),
      ...(delimiter === '' ? [] : [textElement('Delimiter', encode(delimiter))]),
      textElement('MaxKeys', limit),
      ...(encodingType === null ? [] : [textElement('EncodingType', encodingType)]),
      textElement('IsTruncated', page.next !== undefined),
    ],
  };
}

function entries(
  bucket: Bucket,
  page: ListingPage,
  encode: (name: string) => string,
  withOwner: boolean,
): string[] {
  const contents = page.keys.flatMap((key) => {
    const object = bucket.get(key);
    if (object === undefined) return [];
    const { lastModified, etag, body, checksum } = object;
    return element('Contents', [
      textElement('Key', encode(key)),
      textElement('LastModified', lastModified.toISOString()),
      textElement('ETag', etag),
      ...(checksum === undefined
        ? []
        : [
            textElement('ChecksumAlgorithm', checksum.algorithm.toUpperCase()),
            textElement('ChecksumType', checksum.type),
          ]),
      textElement('Size', body.length),
      ...(withOwner ? [owner('Owner')] : []),
      textElement('StorageClass', 'STANDARD'),
    ]);
  });
  const prefixes = page.commonPrefixes.map((prefix) =>
    element('CommonPrefixes', [textElement('Prefix', encode(prefix))]),
  );
  return [...contents, ...prefixes];
}

function encodeToken(entry: string): string {
  return Buffer.from(`1${entry}`).toString('base64url');
}

function decodeToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString();
  if (text.startsWith('1') && encodeToken(text.slice(1)) === token) return text.slice(1);
  throw invalidArgument(
    'continuation-token',
    token,
    'The continuation token provided is incorrect',
  );
}
