import { InvalidRequest } from '../errors.ts';
import type { RememberingEmbedder } from './embedder.ts';
import { packRequests } from './openai.ts';

/** Each input's own end: a vector, or why it was refused. */
export interface EmbeddedEach {
  /** In the inputs' order; undefined for an input that was refused. */
  readonly vectors: readonly (Float32Array | undefined)[];
  /** Why, by the input. */
  readonly refusals: ReadonlyMap<string, string>;
}

/** What was refused for a reason that is not known here. */
interface Unexplained {
  first: InvalidRequest | undefined;
  requests: number;
  /** Whether something was accepted after the first such refusal. */
  acceptedSince: boolean;
}

/** An input may have 8,192 tokens, and no token is shorter than a byte: a shorter one is not too long. */
const NEVER_TOO_LONG_BYTES = 8_192;

/**
 * Refused requests for a reason that is not known here, as long as nothing else is accepted: by then it is the account's or the
 * setting's rather than an input's. 12 requests find one input among 2,048.
 */
const MOST_UNEXPLAINED = 16;

/**
 * Refused requests that one receipt may cost. One bad input among 2,048 takes 12 of them, so some 15 anywhere are found, or 100 that
 * are all too long.
 */
const MOST_REFUSED = 200;

/**
 * Embeds inputs of which some may be refused for themselves (too long, say). OpenAI refuses a request as a whole, and says which input
 * it means in its message alone, which is people's text: so a refused request is asked for again in two parts, down to one input. What
 * is over 8,192 bytes, and may be too long, is parted from the rest first.
 *
 * A refusal that no table explains is an input's own fault only where others are accepted after it, and it is refused once more after
 * those: the requests differ in nothing but their inputs. Where nothing is accepted, it fails the receipt.
 *
 * @throws what the embedder throws that is not an input's own fault; InvalidRequest after 200 refused requests, or where everything
 * is refused for a reason that is not known.
 * @example
 * ```ts
 * await embedEach(embedder, ['MILK', tooLong]);
 * // { vectors: [milk, undefined], refusals: Map { tooLong → 'OpenAI answered 400 (parameter input)' } }
 * ```
 */
export async function embedEach(
  embedder: RememberingEmbedder,
  inputs: readonly string[],
): Promise<EmbeddedEach> {
  const refusals = new Map<string, InvalidRequest>();
  let refused = 0;
  const unexplained: Unexplained = { first: undefined, requests: 0, acceptedSince: false };
  const isolate = async (group: readonly string[]): Promise<void> => {
    try {
      await embedder.embed(group);
      unexplained.acceptedSince ||= unexplained.first !== undefined;
    } catch (error) {
      if (!mayBeInputsFault(error) || ++refused > MOST_REFUSED) throw error;
      if (error.fault === 'unknown') {
        unexplained.first ??= error;
        if (!unexplained.acceptedSince && ++unexplained.requests > MOST_UNEXPLAINED) throw error;
      }
      const [first = ''] = group;
      if (group.length === 1) refusals.set(first, error);
      else for (const part of parts(group)) await isolate(part);
    }
  };
  for (const group of packRequests([...new Set(inputs)])) await isolate(group);
  if (unexplained.first !== undefined && !unexplained.acceptedSince) throw unexplained.first;
  const doubtful = [...refusals].filter(([, error]) => error.fault === 'unknown');
  // Others were accepted by now, so what is refused once more is not refused for the account, or for a moment.
  for (const [input] of doubtful) {
    refusals.delete(input);
    await isolate([input]);
  }
  // All of these are remembered: no request is made.
  const embedded = inputs.filter((input) => !refusals.has(input));
  const { vectors } = await embedder.embed(embedded);
  const vectorOf = new Map(embedded.map((input, at) => [input, vectors[at]]));
  return {
    vectors: inputs.map((input) => vectorOf.get(input)),
    refusals: new Map([...refusals].map(([input, { message }]) => [input, message])),
  };
}

function mayBeInputsFault(error: unknown): error is InvalidRequest {
  return error instanceof InvalidRequest && (error.fault === 'input' || error.fault === 'unknown');
}

function parts(group: readonly string[]): readonly (readonly string[])[] {
  const { long = [], short = [] } = Object.groupBy(group, (input) =>
    Buffer.byteLength(input) > NEVER_TOO_LONG_BYTES ? 'long' : 'short',
  );
  if (long.length > 0 && short.length > 0) return [short, long];
  const half = Math.ceil(group.length / 2);
  return [group.slice(0, half), group.slice(half)];
}
