import OpenAI, {
  APIConnectionError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'openai';
import { z } from 'zod';
import type { TimeLimits } from '../aws_clients.ts';
import {
  InvalidConfiguration,
  InvalidRequest,
  QuotaExhausted,
  RateLimited,
  UpstreamUnavailable,
} from '../errors.ts';
import { OPENAI_RETRIES } from '../retry.ts';
import { type Embedder, type EmbeddingModel, type Embeddings, readVector } from './embedder.ts';

/** Each try, and each silence in the middle of its answer, may take a minute. */
const OPENAI_LIMITS: TimeLimits = { answer: 60_000, silence: 60_000 };

/**
 * OpenAI's client, the one owner of retries of its requests: two, which obey Retry-After. Each try may take a minute. That fits the
 * 15 minutes of a function; longer waiting is the state machine's.
 *
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
  const { answer, silence } = options.limits ?? OPENAI_LIMITS;
  return new OpenAI({
    apiKey: options.apiKey,
    ...(options.baseURL === undefined ? {} : { baseURL: options.baseURL }),
    ...OPENAI_RETRIES,
    timeout: answer,
    fetch: async (...request) => endingSilence(await fetchWithFinalQuota(...request), silence),
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
 * An account that has no quota left answers 429 too, like one that is merely too fast, but no later try helps: the client
 * is told so by the header that it obeys.
 */
async function fetchWithFinalQuota(
  ...request: Parameters<typeof globalThis.fetch>
): Promise<Response> {
  const response = await globalThis.fetch(...request);
  if (response.status !== 429) return response;
  const body = await response.text();
  const headers = new Headers(response.headers);
  if (body.includes('"insufficient_quota"')) headers.set('x-should-retry', 'false');
  return new Response(body, { status: response.status, headers });
}

/**
 * OpenAI's error as one of the layer's own: theirs all have the name "Error", which Step Functions can't tell apart.
 * Their message is left out where it may quote an input or a part of the key.
 *
 * @example
 * ```ts
 * translateOpenAIError(rateLimitError); // RateLimited: OpenAI answered 429, request req_123
 * ```
 */
export function translateOpenAIError(error: unknown): unknown {
  const options = { cause: error };
  if (isBrokenAnswer(error)) {
    return new UpstreamUnavailable("OpenAI's answer broke off or can not be read", options);
  }
  if (!(error instanceof APIError)) return error;
  const request = error.requestID == null ? '' : `, request ${error.requestID}`;
  const what = `OpenAI answered ${error.status ?? 'nothing'}${error.code == null ? '' : ` ${error.code}`}${request}`;
  if (error instanceof APIConnectionError || error instanceof APIUserAbortError) {
    return new UpstreamUnavailable('OpenAI can not be reached or took too long', options);
  }
  if (error instanceof RateLimitError) {
    return error.code === 'insufficient_quota'
      ? new QuotaExhausted(
          `${what}: the account has no quota left; check its plan and billing`,
          options,
        )
      : new RateLimited(what, options);
  }
  if (
    error instanceof AuthenticationError ||
    error instanceof PermissionDeniedError ||
    error instanceof NotFoundError
  ) {
    return new InvalidConfiguration(
      `${what}: check the API key, the base URL and the embedding model`,
      options,
    );
  }
  if (
    typeof error.status === 'number' &&
    error.status < 500 &&
    error.status !== 408 &&
    error.status !== 409
  ) {
    const param = error.param == null ? '' : ` (parameter ${error.param})`;
    const fault = isInputsFault(error) ? ({ fault: 'input' } as const) : {};
    return new InvalidRequest(`${what}${param}`, { ...options, ...fault });
  }
  return new UpstreamUnavailable(what, options);
}

/** Of the 400s, those that name neither another parameter nor a reason of the account's. */
function isInputsFault({
  status,
  code,
  param,
}: Pick<APIError, 'code' | 'param'> & { readonly status: unknown }): boolean {
  return status === 400 && code == null && (param == null || param.startsWith('input'));
}

/** What fetch throws when an answer breaks off (a TypeError with the reason as its cause) or is no JSON: the SDK hands it on. */
function isBrokenAnswer(error: unknown): boolean {
  return error instanceof SyntaxError || (error instanceof TypeError && error.cause !== undefined);
}

/** What the Embeddings API answers when base64 was asked for; the SDK's type only knows number arrays. */
const answerSchema = z.object({
  data: z.array(z.object({ index: z.int(), embedding: z.unknown() })),
  usage: z.object({ prompt_tokens: z.int().min(0) }),
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
    const requests = packRequests([...new Set(inputs)]);
    const vectorOf = new Map<string, Float32Array>();
    let promptTokens = 0;
    // One after the other: a receipt of more than one request is rare, and ten receipts run at a time.
    for (const texts of requests) {
      const answer = await this.#request(texts);
      promptTokens += answer.usage.prompt_tokens;
      for (const [at, vector] of this.#place(answer, texts.length).entries()) {
        vectorOf.set(texts[at] ?? '', vector);
      }
    }
    return {
      vectors: inputs.map((input) => {
        const vector = vectorOf.get(input);
        if (vector === undefined)
          throw new UpstreamUnavailable('OpenAI left an input without a vector');
        return vector;
      }),
      prompt_tokens: promptTokens,
      requests: requests.length,
    };
  }

  async #request(texts: string[]): Promise<EncodedEmbeddings> {
    const answer = await this.#ask(texts);
    const parsed = answerSchema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new UpstreamUnavailable('OpenAI answered something that is no list of embeddings');
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
      throw translateOpenAIError(error);
    }
  }

  /** Vectors by the index that each answer carries: the order of the answers means nothing. */
  #place({ data }: EncodedEmbeddings, count: number): Float32Array[] {
    if (data.length !== count) {
      throw new UpstreamUnavailable(`OpenAI answered ${data.length} vectors for ${count} inputs`);
    }
    const vectors: (Float32Array | undefined)[] = new Array<undefined>(count).fill(undefined);
    for (const { index, embedding } of data) {
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
