import { S3Error } from './s3_error.ts';

export interface Address {
  readonly bucket: string;
  readonly key: string;
}

/** AWS's limit for a key, in UTF-8 bytes. */
const keyLimit = 1024;

/**
 * Takes a path-style path, `/{bucket}/{key}`, apart and decodes it. A key keeps its slashes, doubled ones too.
 *
 * @throws S3Error InvalidURI, KeyTooLongError
 */
export function decodeAddress(path: string): Address {
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?([^]*)$/.exec(path) ?? [];
  const address = { bucket: decode(bucket), key: decode(key) };
  const size = Buffer.byteLength(address.key);
  if (size > keyLimit) {
    throw new S3Error(400, 'KeyTooLongError', 'Your key is too long', {
      Size: String(size),
      MaxSizeAllowed: String(keyLimit),
    });
  }
  return address;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error(400, 'InvalidURI', "Couldn't parse the specified URI.", { URI: text });
  }
}
