/**
 * Compares two strings by their UTF-8 bytes, the order of S3's listings.
 *
 * JavaScript's own `<` compares UTF-16 units, which puts every character beyond U+FFFF (written with
 * surrogates, U+D800…U+DFFF) before U+E000…U+FFFF; UTF-8 puts it after.
 */
export function compareUtf8(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
  return isSurrogate ? unit + 0x10000 : unit;
}
