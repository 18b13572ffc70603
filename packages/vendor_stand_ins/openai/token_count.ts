import { countTokens as countExactly } from 'gpt-tokenizer/encoding/cl100k_base';

/**
 * How many UTF-16 units are counted at a time: the tokenizer takes a time that grows with the square of a run without a
 * break. A power of two, since long runs of one sign are merged by powers of two.
 */
const MOST_AT_ONCE = 256;

/** `<|endoftext|>` and its like are text as any other: the Embeddings API reads them so. */
const PLAIN_TEXT = { disallowedSpecial: new Set<string>() };

/**
 * How many tokens a text has in cl100k_base, the encoding of OpenAI's embedding models.
 *
 * It is exact where a text has a blank within every 256 characters. Longer runs are counted in
 * pieces, which adds a token or two for each, so that the time is linear in the text's length.
 */
export function countTokens(text: string): number {
  let tokens = 0;
  for (let at = 0; at < text.length;) {
    const end = endOfPiece(text, at);
    tokens += countExactly(text.slice(at, end), PLAIN_TEXT);
    at = end;
  }
  return tokens;
}

function endOfPiece(text: string, at: number): number {
  const most = at + MOST_AT_ONCE;
  if (most >= text.length) return text.length;
  for (let end = most; end > at; end--) {
    if (isBeforeWord(text, end)) return end;
  }
  // Half a character would be counted as another one.
  return isLowSurrogate(text, most) ? most - 1 : most;
}

/** The blank belongs to what is behind it: no token ever reaches across this place. */
function isBeforeWord(text: string, at: number): boolean {
  return text[at] === ' ' && /\S/.test(text[at - 1] ?? '');
}

function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
