import { createHash, type Hash } from 'node:crypto';

/**
 * The id of a content: a UUID in version 4's shape, which is the only one that readers of run and batch ids accept. The
 * same content has the same id, whoever asks and whenever.
 *
 * @param content a text, or a SHA-256 hash that has been fed with more than a text should hold.
 * @example
 * ```ts
 * contentId('MILK 3.99'); // '2f0e8c1a-…-4…-8…-…'
 * ```
 */
export function contentId(content: string | Hash): string {
  const hex = typeof content === 'string' ? sha256(content) : content.digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0b0011) | 0b1000).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/**
 * The part of a content's id that says what the content is: the first four of a UUID's five groups, 74 bits of
 * the hash. All ids with this beginning stand for the same content.
 */
export function contentPart(id: string): string {
  return id.slice(0, id.lastIndexOf('-') + 1);
}

/**
 * Another id for the same content, for embedding it once more: forced, or after it failed. The
 * same `occasion` gives the same id, so that a retry does not make a third.
 */
export function repeatedId(id: string, occasion: string): string {
  return contentPart(id) + sha256(`${id}#${occasion}`).slice(0, 12);
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
