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

const EDGES = String.raw`[ ,.;:|/\\-]+`;

/**
 * Upper case, single spaces, no punctuation at the ends, the street's kind abbreviated.
 *
 * @returns undefined when nothing is left.
 * @example
 * ```ts
 * normalizeAddress('1 Main Street, '); // '1 MAIN ST'
 * ```
 */
export function normalizeAddress(text: string): string | undefined {
  const address = text
    .toUpperCase()
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{L}\p{N}]+/gu, (word) => ABBREVIATIONS[word] ?? word)
    .replaceAll(new RegExp(`^${EDGES}|${EDGES}$`, 'g'), '');
  return address === '' ? undefined : address;
}

/**
 * The address of a page without what varies: host in lower case without `www.`, no query, no fragment, no
 * trailing `/` except the root's. `http://` is assumed.
 *
 * @returns undefined for what is no address of a page, as an e-mail address.
 * @example
 * ```ts
 * normalizeUrl('www.Example.com/menu/?q=1'); // 'http://example.com/menu'
 * ```
 */
export function normalizeUrl(text: string): string | undefined {
  const trimmed = text.trim();
  const address = /^[a-z][a-z\d+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`;
  const authority = /^[^:]+:\/\/(?<authority>[^/?#]*)/.exec(address)?.groups?.['authority'];
  if (authority === undefined || authority === '' || authority.includes('@')) return undefined;
  if (!URL.canParse(address)) return undefined;
  const { protocol, host, pathname } = new URL(address);
  return `${protocol}//${host.replace(/^www\./, '')}${pathname.replace(/\/+$/, '') || '/'}`;
}
