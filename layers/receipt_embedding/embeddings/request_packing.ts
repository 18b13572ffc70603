/** The limits of one embeddings request (docs/data_model.md §4). */
export const REQUEST_LIMITS = { inputs: 2_048, tokens: 300_000 } as const;

export type RequestLimits = Readonly<Record<keyof typeof REQUEST_LIMITS, number>>;

/**
 * At most how many tokens a text is: its bytes in UTF-8. OpenAI's encodings are byte-level, so no token is shorter
 * than a byte. Real texts have a third of it or fewer, but a request packed by a guess is refused as a whole
 * when the guess is too low, and for a receipt's short lines and words the count of inputs binds first.
 */
export function tokenBound(text: string): number {
  return Buffer.byteLength(text);
}

/**
 * Splits inputs, in their order, into as few requests as the limits allow; an input that is over the
 * token limit by its bound alone goes by itself, and OpenAI judges.
 */
export function packRequests(
  inputs: readonly string[],
  limits: RequestLimits = REQUEST_LIMITS,
): string[][] {
  const requests: string[][] = [];
  let current: string[] = [];
  let tokens = 0;
  for (const input of inputs) {
    const bound = tokenBound(input);
    const full = current.length === limits.inputs || tokens + bound > limits.tokens;
    if (full && current.length > 0) {
      requests.push(current);
      current = [];
      tokens = 0;
    }
    current.push(input);
    tokens += bound;
  }
  if (current.length > 0) requests.push(current);
  return requests;
}
