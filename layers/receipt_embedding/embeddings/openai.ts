import OpenAI, { APIConnectionError, APIError, APIUserAbortError, OpenAIError } from 'openai';
import { z } from 'zod';
import type { TimeLimits } from '../aws_clients.ts';
import { InvalidConfiguration, UpstreamUnavailable } from '../errors.ts';
import { LayerError } from '../layer_error.ts';
import { parseJson } from '../local_files.ts';
import { OPENAI_RETRIES } from '../retry.ts';
import { checkedKey, secureUrl } from '../vendor_answers/credentials.ts';
import {
  judgeOpenAI,
  readOpenAIError,
  shownCode,
  shownParam,
  shownRequestId,
} from '../vendor_answers/openai.ts';
import { resetWait } from '../vendor_answers/rate_limit_headers.ts';
import { fieldOf, type VendorAnswer, vendorError } from '../vendor_answers/verdict.ts';
import { type Embedder, type EmbeddingModel, type Embeddings, readVector } from './embedder.ts';

/** Each try, and each silence in the middle of its answer, may take a minute. */
const OPENAI_LIMITS: TimeLimits = { answer: 60_000, silence: 60_000 };

/**
 * OpenAI's client, the one owner of retries of its requests: two, which obey Retry-After. Each try may take a minute. That fits the
 * 15 minutes of a function; longer waiting is the state machine's.
 *
 * @throws InvalidConfiguration for a key that no header can carry, or a base URL that is not https.
 * @example
 * ```ts
 * const embedder = new OpenAIEmbedder(createOpenAIClient({ apiKey, baseURL: undefined }), model);
 * ```
 */
export function createOpenAIClient(options: {
  readonly apiKey: string;
  readonly baseURL: string | undefined;
  readonly limits?: TimeLimits;
}): OpenAI {
  const { baseURL } = options;
  const { answer, silence } = options.limits ?? OPENAI_LIMITS;
  return new OpenAI({
    apiKey: checkedKey("OpenAI's API key", options.apiKey),
    ...(baseURL === undefined ? {} : { baseURL: secureUrl("OpenAI's base URL", baseURL) }),
    ...OPENAI_RETRIES,
    timeout: answer,
    fetch: async (...request) => endingSilence(await fetchWithVerdict(...request), silence),
  });
}

/** The client's own timeout ends when an answer begins: one that then falls silent would be waited for. */
function endingSilence(response: Response, silence: number): Response {
  const stream: ReadableStream<Uint8Array> | null = response.body;
  const reader = stream?.getReader();
  if (reader === undefined) return response;
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { promise: silent, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        reject(new UpstreamUnavailable('OpenAI began an answer and fell silent'));
      }, silence);
      try {
        const { done, value } = await Promise.race([reader.read(), silent]);
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        reader.cancel().catch(() => undefined);
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
    cancel: async (reason) => {
      await reader.cancel(reason);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}

/**
 * An account that has no quota left answers 429 too, like one that is merely too fast, but no later try helps, nor does one with a
 * request that is too large: the client is told so by the headers that it obeys. It waits for up to a minute, whichever header asks.
 */
async function fetchWithVerdict(
  ...request: Parameters<typeof globalThis.fetch>
): Promise<Response> {
  const response = await globalThis.fetch(...request);
  if (response.ok) return response;
  const { status } = response;
  const body = await response.text();
  const { wait, split } = judgeOpenAI(readOpenAIError(fieldOf(parseJson(body), 'error'), status));
  const headers = new Headers(response.headers);
  if (!wait || split === true) headers.set('x-should-retry', 'false');
  const asked = status === 429 ? resetWait(response.headers) : undefined;
  if (asked !== undefined) headers.set('retry-after-ms', String(asked));
  return new Response(body, { status, headers });
}

/**
 * Whatever a request to OpenAI fails with, as one of the layer's own: theirs all have the name "Error", which Step Functions can't
 * tell apart, and quote inputs and keys. The layer's own errors stay as they are.
 *
 * @example
 * ```ts
 * translateOpenAIError(rateLimitError);
 * // RateLimited: OpenAI answered 429 rate_limit_exceeded, request req_123: the account asks faster than its limits allow
 * ```
 */
export function translateOpenAIError(error: unknown): LayerError {
  if (error instanceof LayerError) return error;
  if (isBrokenAnswer(error)) {
    return new UpstreamUnavailable("OpenAI's answer broke off or can not be read");
  }
  if (error instanceof APIConnectionError || error instanceof APIUserAbortError) {
    return new UpstreamUnavailable('OpenAI can not be reached or took too long');
  }
  if (!(error instanceof APIError)) {
    const name = error instanceof OpenAIError ? 'OpenAIError' : 'TypeError';
    return new InvalidConfiguration(
      `the request to OpenAI can not be made (${name}): check the API key and the base URL`,
    );
  }
  const answer = answerOf(error);
  const code = shownCode(answer);
  const param = shownParam(answer);
  const request = shownRequestId(error.requestID);
  const what = [
    `OpenAI answered ${answer.status ?? 'nothing'}`,
    code === undefined ? '' : ` ${code}`,
    request === undefined ? '' : `, request ${request}`,
    param === undefined ? '' : ` (parameter ${param})`,
  ].join('');
  return vendorError(judgeOpenAI(answer), what, code);
}

function answerOf({
  status,
  error,
}: {
  readonly status: unknown;
  readonly error: unknown;
}): VendorAnswer {
  return readOpenAIError(error, typeof status === 'number' ? status : undefined);
}

/** What fetch throws when an answer breaks off (a TypeError with the reason as its cause) or is no JSON: the SDK hands it on. */
function isBrokenAnswer(error: unknown): boolean {
  return error instanceof SyntaxError || (error instanceof TypeError && error.cause !== undefined);
}

/** A whole number, also as a text. */
const wholeSchema = z.coerce.number().int().min(0);

/** What the Embeddings API answers when base64 was asked for; the SDK's type only knows number arrays. */
const answerSchema = z.object({
  // Without an index, vectors are in the inputs' order.
  data: z.array(z.object({ index: z.coerce.number().int().nullish(), embedding: z.unknown() })),
  // What it cost is worth knowing, but no reason to throw vectors away.
  usage: z.object({ prompt_tokens: wholeSchema }).catch({ prompt_tokens: 0 }),
});

type EncodedEmbeddings = z.output<typeof answerSchema>;

/**
 * Embeds with OpenAI's Embeddings API: equal texts once, as few requests as its limits allow, vectors as
 * base64, which is a third of the JSON that numbers would be.
 *
 * @example
 * ```ts
 * await embedder.embed(['MILK', 'BREAD', 'MILK']);
 * // { vectors: [milk, bread, milk], prompt_tokens: 4, requests: 1 }
 * ```
 */
export class OpenAIEmbedder implements Embedder {
  readonly model: string;
  readonly dimensions: number;
  readonly #client: OpenAI;

  constructor(client: OpenAI, { model, dimensions }: EmbeddingModel) {
    this.#client = client;
    this.model = model;
    this.dimensions = dimensions;
  }

  async embed(inputs: readonly string[]): Promise<Embeddings> {
    const vectorOf = new Map<string, Float32Array>();
    const spent = { prompt_tokens: 0, requests: 0 };
    // One after the other: a receipt of more than one request is rare, and ten receipts run at a time.
    for (const texts of packRequests([...new Set(inputs)])) {
      for await (const part of this.#request(texts)) {
        spent.prompt_tokens += part.answer.usage.prompt_tokens;
        spent.requests++;
        for (const [at, vector] of this.#place(part.answer, part.texts.length).entries()) {
          vectorOf.set(part.texts[at] ?? '', vector);
        }
      }
    }
    return {
      vectors: inputs.map((input) => {
        const vector = vectorOf.get(input);
        if (vector === undefined)
          throw new UpstreamUnavailable('OpenAI left an input without a vector');
        return vector;
      }),
      ...spent,
    };
  }

  /** One request; where it is too large for the account, or for the API, two of half its texts, down to one text each. */
  async *#request(texts: string[]): AsyncGenerator<{ texts: string[]; answer: EncodedEmbeddings }> {
    const answer = await this.#ask(texts);
    if (answer === 'too large') {
      const half = Math.ceil(texts.length / 2);
      yield* this.#request(texts.slice(0, half));
      yield* this.#request(texts.slice(half));
      return;
    }
    const parsed = answerSchema.safeParse(typeof answer === 'string' ? parseJson(answer) : answer);
    if (!parsed.success) {
      throw new UpstreamUnavailable('OpenAI answered something that is no list of embeddings');
    }
    yield { texts, answer: parsed.data };
  }

  async #ask(texts: string[]): Promise<unknown> {
    try {
      return await this.#client.embeddings.create({
        model: this.model,
        input: texts,
        encoding_format: 'base64',
        dimensions: this.dimensions,
      });
    } catch (error) {
      const tooLarge = error instanceof APIError && judgeOpenAI(answerOf(error)).split === true;
      if (tooLarge && texts.length > 1) return 'too large';
      throw translateOpenAIError(error);
    }
  }

  /** Vectors by the index that each answer carries: the order of the answers means nothing. */
  #place({ data }: EncodedEmbeddings, count: number): Float32Array[] {
    if (data.length !== count) {
      throw new UpstreamUnavailable(`OpenAI answered ${data.length} vectors for ${count} inputs`);
    }
    const vectors: (Float32Array | undefined)[] = new Array<undefined>(count).fill(undefined);
    for (const [at, { index: said, embedding }] of data.entries()) {
      const index = said ?? at;
      if (index < 0 || index >= count || vectors[index] !== undefined) {
        throw new UpstreamUnavailable(`OpenAI answered index ${index} twice or out of range`);
      }
      vectors[index] = readVector(embedding, this.dimensions);
    }
    return vectors as Float32Array[];
  }
}

/** The limits of one embeddings request (docs/data_model.md §4). */
const REQUEST_LIMITS = { inputs: 2_048, tokens: 300_000 } as const;

type RequestLimits = Readonly<Record<keyof typeof REQUEST_LIMITS, number>>;

/**
 * At most how many tokens a text is: its bytes in UTF-8. OpenAI's encodings are byte-level, so no token is shorter
 * than a byte. Real texts have a third of it or fewer, but a request packed by a guess is refused as a whole
 * when the guess is too low, and for a receipt's short lines and words the count of inputs binds first.
 */
function mostTokens(text: string): number {
  return Buffer.byteLength(text);
}

/**
 * Splits inputs, in their order, into as few requests as the limits allow; an input whose bound alone is over the
 * token limit goes by itself, and OpenAI judges.
 *
 * @example
 * ```ts
 * packRequests(['MILK', 'BREAD', 'EGGS'], { inputs: 2, tokens: 300_000 }); // [['MILK', 'BREAD'], ['EGGS']]
 * ```
 */
export function packRequests(
  inputs: readonly string[],
  limits: RequestLimits = REQUEST_LIMITS,
): string[][] {
  const requests: string[][] = [];
  let current: string[] = [];
  let tokens = 0;
  for (const input of inputs) {
    const bound = mostTokens(input);
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
