import { countTokens as countExactly } from 'gpt-tokenizer/encoding/cl100k_base';

// A file of its own, because only plan_batches loads it: the encoding is a megabyte of code and takes a tenth of a second.

/**
 * The tokenizer takes a time that grows with the square of a run without a break. Longer texts are cut before a blank, where no
 * token reaches across, else after 256 characters; code points stay whole.
 */
const PIECES = /.{1,256}(?:$|(?<=\S)(?= \S))|.{1,256}/gsu;

/** `<|endoftext|>` and its like are text as any other: the Embeddings API reads them so. */
const PLAIN_TEXT = { disallowedSpecial: new Set<string>() };

/**
 * How many tokens a text has in cl100k_base, the encoding of OpenAI's embedding models. It is exact where a text has a blank within
 * every 256 characters; a longer run counts a token or two too many for each 256 characters.
 *
 * @example
 * ```ts
 * countTokens('<TARGET>MILK</TARGET> <POS>top-left</POS> <CONTEXT><EDGE> 3.99</CONTEXT>'); // 28
 * ```
 */
export function countTokens(text: string): number {
  let tokens = 0;
  for (const [piece] of text.matchAll(PIECES)) tokens += countExactly(piece, PLAIN_TEXT);
  return tokens;
}
