import { compareUtf8 } from '../storage/utf8_order.ts';

export interface ListingQuery {
  readonly prefix: string;
  /** `''` for none: every key by itself. */
  readonly delimiter: string;
  /** The listing begins behind this entry, a key or a common prefix; `''` for the beginning. */
  readonly after: string;
  readonly limit: number;
}

export interface ListingPage {
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
export function listPage(sortedKeys: readonly string[], query: ListingQuery): ListingPage {
  const { prefix, delimiter, after, limit } = query;
  const keys: string[] = [];
  const commonPrefixes: string[] = [];
  let last = after;
  const start = lowerBound(sortedKeys, compareUtf8(prefix, after) > 0 ? prefix : after);
  for (let at = start; limit > 0; at++) {
    const key = sortedKeys[at];
    if (!key?.startsWith(prefix)) break;
    const commonPrefix = commonPrefixOf(key, prefix, delimiter);
    const entry = commonPrefix ?? key;
    if (compareUtf8(entry, last) <= 0) continue;
    if (keys.length + commonPrefixes.length === limit) {
      return { keys, commonPrefixes, next: last };
    }
    (commonPrefix === undefined ? keys : commonPrefixes).push(entry);
    last = entry;
  }
  return { keys, commonPrefixes, next: undefined };
}

/** @returns the key up to the first delimiter behind the prefix, the delimiter included; undefined without one. */
export function commonPrefixOf(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '') return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
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
