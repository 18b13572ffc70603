import { invalidArgument } from './s3_error.ts';

/** AWS's limit for the entries of one page, in every listing. */
const pageLimit = 1000;

/**
 * @param name `max-keys`, `max-parts`, `max-uploads`
 * @returns the page size that was asked for, as far as the limit allows.
 * @throws S3Error InvalidArgument
 */
export function pageSize(query: URLSearchParams, name: string): number {
  return Math.min(readCount(query, name, pageLimit), pageLimit);
}

/** @throws S3Error InvalidArgument for anything but an integer from 0. */
export function readCount(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null || text === '') return fallback;
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= 2147483647) return count;
  throw invalidArgument(name, text, `Argument ${name} must be an integer between 0 and 2147483647`);
}

/**
 * @returns how names are to be written: `encoding-type=url` makes names safe that XML could not carry.
 * @throws S3Error InvalidArgument
 */
export function nameEncoder(query: URLSearchParams): (name: string) => string {
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
