import { element, invalidArgument, textElement, xmlAnswer } from './answers.ts';
import { type Bucket, compareUtf8, ONLY_VERSION, type Operation } from './bucket.ts';

/** AWS's limit for the entries of a page. */
const PAGE_LIMIT = 1000;

/** ListObjectsV2: a page of keys and common prefixes; the next page goes on from an opaque token. */
export const listObjectsV2: Operation = ({ request, store, bucket: bucketName }) => {
  const { query } = request;
  const bucket = store.bucket(bucketName);
  const encode = nameEncoder(query);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const limit = pageSize(query);
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const after = token === null ? (startAfter ?? '') : decodeToken(token);
  const page = listPage(bucket.sortedKeys(), { prefix, delimiter, after, limit });
  const optional = (name: string, value: string | null | undefined): string[] =>
    value === null || value === undefined || value === '' ? [] : [textElement(name, value)];
  return xmlAnswer('ListBucketResult', [
    textElement('Name', bucket.name),
    textElement('Prefix', encode(prefix)),
    ...optional('Delimiter', encode(delimiter)),
    textElement('MaxKeys', limit),
    ...optional('EncodingType', query.get('encoding-type')),
    textElement('IsTruncated', page.next !== undefined),
    ...optional('StartAfter', startAfter === null ? null : encode(startAfter)),
    ...optional('ContinuationToken', token),
    ...optional('NextContinuationToken', page.next === undefined ? null : encodeToken(page.next)),
    textElement('KeyCount', page.keys.length + page.commonPrefixes.length),
    ...page.keys.flatMap((key) => contents(bucket, key, encode)),
    ...page.commonPrefixes.map((common) =>
      element('CommonPrefixes', [textElement('Prefix', encode(common))]),
    ),
  ]);
};

/** ListObjectVersions of a bucket without versioning: of each key the one version, and no delete markers. */
export const listObjectVersions: Operation = ({ request, store, bucket: bucketName }) => {
  const { query } = request;
  const bucket = store.bucket(bucketName);
  const encode = nameEncoder(query);
  const prefix = query.get('prefix') ?? '';
  const after = query.get('key-marker') ?? '';
  const limit = pageSize(query);
  const delimiter = query.get('delimiter') ?? '';
  const page = listPage(bucket.sortedKeys(), { prefix, delimiter, after, limit });
  return xmlAnswer('ListVersionsResult', [
    textElement('Name', bucket.name),
    textElement('Prefix', encode(prefix)),
    textElement('KeyMarker', encode(after)),
    textElement('MaxKeys', limit),
    textElement('IsTruncated', page.next !== undefined),
    ...(page.next === undefined
      ? []
      : [
          textElement('NextKeyMarker', encode(page.next)),
          textElement('NextVersionIdMarker', ONLY_VERSION),
        ]),
    ...page.keys.map((key) =>
      element('Version', [
        textElement('Key', encode(key)),
        textElement('VersionId', ONLY_VERSION),
        textElement('IsLatest', true),
        ...described(bucket, key),
      ]),
    ),
    ...page.commonPrefixes.map((common) =>
      element('CommonPrefixes', [textElement('Prefix', encode(common))]),
    ),
  ]);
};

function contents(bucket: Bucket, key: string, encode: (name: string) => string): string[] {
  return [element('Contents', [textElement('Key', encode(key)), ...described(bucket, key)])];
}

function described(bucket: Bucket, key: string): string[] {
  const object = bucket.get(key);
  if (object === undefined) return [];
  return [
    textElement('LastModified', object.lastModified.toISOString()),
    textElement('ETag', object.etag),
    textElement('Size', object.body.length),
    textElement('StorageClass', 'STANDARD'),
  ];
}

interface ListingQuery {
  readonly prefix: string;
  /** `''` for none: every key by itself. */
  readonly delimiter: string;
  /** The listing begins behind this entry, a key or a common prefix; `''` for the beginning. */
  readonly after: string;
  readonly limit: number;
}

interface ListingPage {
  readonly keys: readonly string[];
  readonly commonPrefixes: readonly string[];
  /** The last entry, from which the next page goes on; undefined when this page is the last. */
  readonly next: string | undefined;
}

/**
 * One page of a listing. Keys and common prefixes count alike, and both must come behind `after` in UTF-8 order:
 * so the common prefix around `after` itself is not listed again.
 *
 * @param sortedKeys in UTF-8 binary order.
 */
function listPage(sortedKeys: readonly string[], query: ListingQuery): ListingPage {
  const { prefix, delimiter, after, limit } = query;
  const keys: string[] = [];
  const commonPrefixes: string[] = [];
  let last = after;
  const start = lowerBound(sortedKeys, compareUtf8(prefix, after) > 0 ? prefix : after);
  for (let at = start; limit > 0; at++) {
    const key = sortedKeys[at];
    if (!key?.startsWith(prefix)) break;
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const entry = cut < 0 ? key : key.slice(0, cut + delimiter.length);
    if (compareUtf8(entry, last) <= 0) continue;
    if (keys.length + commonPrefixes.length === limit) {
      return { keys, commonPrefixes, next: last };
    }
    (cut < 0 ? keys : commonPrefixes).push(entry);
    last = entry;
  }
  return { keys, commonPrefixes, next: undefined };
}

/** @returns the index of the first key that is not before `key`. */
function lowerBound(sortedKeys: readonly string[], key: string): number {
  let low = 0;
  let high = sortedKeys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(sortedKeys[middle] ?? '', key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function pageSize(query: URLSearchParams): number {
  const text = query.get('max-keys') ?? '';
  if (text === '') return PAGE_LIMIT;
  if (/^\d{1,10}$/.test(text)) return Math.min(Number(text), PAGE_LIMIT);
  throw invalidArgument('max-keys', text, 'Provided max-keys not an integer or within range');
}

/** `encoding-type=url` makes names safe that XML could not carry. */
function nameEncoder(query: URLSearchParams): (name: string) => string {
  const type = query.get('encoding-type');
  if (type === null) return (name) => name;
  if (type === 'url') return urlEncodeName;
  throw invalidArgument('encoding-type', type, 'Invalid Encoding Method specified in Request');
}

/** As a form would encode it, with `/` left as it is. */
function urlEncodeName(name: string): string {
  return encodeURIComponent(name)
    .replace(/%20/g, '+')
    .replace(/%2F/g, '/')
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
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
