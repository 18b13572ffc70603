/**
 * @returns ten digits; undefined for what is no number of the US: a leading 1 of eleven is the country's, ten equal digits are none.
 * @example
 * ```ts
 * normalizePhone('+1 (555) 123-4567'); // '5551234567'
 * ```
 */
export function normalizePhone(text: string): string | undefined {
  const digits = text.replaceAll(/\D/g, '');
  const national = digits.length === 11 && digits.startsWith('1') ? digits.slice(1) : digits;
  return national.length === 10 && !/^(\d)\1+$/.test(national) ? national : undefined;
}

const ABBREVIATIONS: Readonly<Record<string, string>> = {
  STREET: 'ST',
  ROAD: 'RD',
  AVENUE: 'AVE',
  BOULEVARD: 'BLVD',
  DRIVE: 'DR',
  LANE: 'LN',
  HIGHWAY: 'HWY',
  PARKWAY: 'PKWY',
  SUITE: 'STE',
  APARTMENT: 'APT',
};

const PUNCTUATION = new Set(' ,.;:|/\\-');

/** Without what is at its ends. (A pattern for the end takes the square of a run in the middle.) */
function withoutEdges(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && PUNCTUATION.has(text.charAt(start))) start += 1;
  while (end > start && PUNCTUATION.has(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/**
 * Upper case, single spaces, no punctuation at the ends of the whole and of each word, the street's kind abbreviated: the form that
 * existing collections hold, where readers look for it by equality. A word that is punctuation alone leaves its place, as there.
 *
 * @returns undefined when nothing is left.
 * @example
 * ```ts
 * normalizeAddress('12 Oak Boulevard, Springfield, '); // '12 OAK BLVD SPRINGFIELD'
 * ```
 */
export function normalizeAddress(text: string): string | undefined {
  const address = withoutEdges(text.toUpperCase().replaceAll(/\s+/g, ' '))
    .split(' ')
    .map(withoutEdges)
    .map((word) => ABBREVIATIONS[word] ?? word)
    .join(' ');
  return address === '' ? undefined : address;
}

const PAGE =
  /^(?:[a-z][a-z\d+.-]*:\/\/(?:[^/?#@]*@)?)?(?<host>[\p{L}\p{N}._-]+(?::\d+)?)(?<path>\/[^?#]*)?(?:[?#].*)?$/isu;

/**
 * The address of a page without what varies: host and path without the scheme, the host in lower case and without `www.`, no query,
 * no fragment, no repeated and no trailing `/` except the root's.
 *
 * @returns undefined for what has no host, as a torn `www.`, and for an e-mail address: what has an `@` and no scheme.
 * @example
 * ```ts
 * normalizeUrl('HTTP://www.Example.com/a//b/?x=1'); // 'example.com/a/b'
 * ```
 */
export function normalizeUrl(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed.includes('@') && !/^[a-z][a-z\d+.-]*:\/\//i.test(trimmed)) return undefined;
  const { host: whole = '', path = '/' } = PAGE.exec(trimmed)?.groups ?? {};
  const host = whole.toLowerCase().replace(/^www(?:\.|$)/, '');
  // A name begins with a letter or a digit; what is left of a torn address does not.
  if (!/^[\p{L}\p{N}]/u.test(host)) return undefined;
  return host + (path.replaceAll(/\/+/g, '/').replace(/\/$/, '') || '/');
}
