import { Readable } from 'node:stream';
import type OpenAI from 'openai';
import { z } from 'zod';
import { readVector } from '../embeddings/embedder.ts';
import { ResultsExpired, UpstreamUnavailable } from '../errors.ts';
import { type Fault, LayerError } from '../layer_error.ts';
import { linesOf, parseJson } from '../local_files.ts';
import { describeOpenAIError, judgeOpenAI, readOpenAIError } from '../vendor_answers/openai.ts';
import { fieldOf } from '../vendor_answers/verdict.ts';
import { found, isKnownId, translated } from './openai_batches.ts';

/** A vector that a batch has brought. */
export interface BatchEmbedding {
  readonly custom_id: string;
  readonly embedding: Float32Array;
  /** As OpenAI bills it. */
  readonly prompt_tokens: number;
}

export type RejectedRow = Exclude<ResultRow, { readonly kind: 'embedded' }>;

export interface BatchFiles {
  readonly output_file_id: string | null;
  /** The rows of requests that failed; OpenAI keeps them apart. */
  readonly error_file_id: string | null;
}

/**
 * The results of a batch, one by one, as they come: unordered, and in memory that does not grow with their number. Rows
 * without a vector go to `onRejected`.
 *
 * @throws ResultsExpired when OpenAI does not have a file any more; UpstreamUnavailable when it breaks off, RateLimited,
 * InvalidConfiguration.
 * @example
 * ```ts
 * for await (const { custom_id, embedding, prompt_tokens } of downloadOpenaiBatchResult(client, files, {
 *   dimensions: 1_536,
 *   onRejected: ({ kind }) => count(kind),
 * })) …
 * ```
 */
export async function* downloadOpenaiBatchResult(
  client: OpenAI,
  files: BatchFiles,
  {
    dimensions,
    onRejected,
  }: {
    readonly dimensions: number;
    readonly onRejected: (row: RejectedRow) => void;
  },
): AsyncGenerator<BatchEmbedding> {
  for (const fileId of [files.output_file_id, files.error_file_id]) {
    if (!isKnownId(fileId)) continue;
    for await (const line of downloadLines(client, fileId)) {
      const row = readResultRow(line, dimensions);
      if (row.kind === 'embedded') {
        const { custom_id, embedding, prompt_tokens } = row;
        yield { custom_id, embedding, prompt_tokens };
      } else {
        onRejected(row);
      }
    }
  }
}

/**
 * A file at OpenAI, line by line.
 *
 * @throws ResultsExpired when OpenAI says that it has no such file, which by itself proves nothing. @see believeMissing
 */
export async function* downloadLines(client: OpenAI, fileId: string): AsyncGenerator<string> {
  const response = await translated(() => found(client.files.content(fileId)));
  if (response === undefined) {
    throw new ResultsExpired(`OpenAI does not have the file ${fileId} any more`);
  }
  if (response.body === null) return;
  const body = Readable.fromWeb(response.body);
  try {
    yield* linesOf(body);
  } catch {
    throw new UpstreamUnavailable(`the download of the file ${fileId} from OpenAI broke off`);
  }
}

/** A line of a batch's output or error file. */
type ResultRow =
  | {
      readonly kind: 'embedded';
      readonly custom_id: string;
      readonly embedding: Float32Array;
      readonly prompt_tokens: number;
    }
  /** Its own input is to blame: asking again would not help. */
  | { readonly kind: 'refused'; readonly custom_id: string; readonly reason: string }
  /** Refused, and no table tells whose fault it is. */
  | { readonly kind: 'unexplained'; readonly custom_id: string; readonly reason: string }
  /** It was not embedded, through no fault of its own: expired, cancelled, a server's error, a vector that is none. */
  | { readonly kind: 'lost'; readonly custom_id: string; readonly reason: string }
  /** Nothing can be told from it. */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** What we need is checked; whatever else stands in a row, or is missing, does not matter. */
const rowSchema = z.object({
  custom_id: z.string(),
  response: z
    .object({ status_code: z.coerce.number().int(), body: z.unknown().optional() })
    .nullish()
    .catch(undefined),
  error: z.unknown().optional(),
});

const bodySchema = z.object({ data: z.tuple([z.object({ embedding: z.unknown() })]) });
const tokensSchema = z.coerce.number().int().min(0).catch(0);

/**
 * Reads one line; whatever it is, this does not throw. What OpenAI says of an error is judged as that of a request is: only a row
 * whose own input is to blame is refused. Reasons are in our own words.
 * @example
 * ```ts
 * readResultRow('{"custom_id":"IMAGE#3f52…","response":{"status_code":400,"body":{"error":{"code":"empty_string"}}}}', 1_536);
 * // { kind: 'refused', custom_id: 'IMAGE#3f52…', reason: 'InvalidRequest (400, empty_string): the text is empty' }
 * ```
 */
export function readResultRow(line: string, dimensions: number): ResultRow {
  const parsed = rowSchema.safeParse(parseJson(line));
  if (!parsed.success) return { kind: 'unreadable', reason: 'it is no result of a request' };
  const { custom_id, response, error } = parsed.data;
  const said = fieldOf(response?.body, 'error') ?? error;
  if (response?.status_code === 200 && error == null) {
    return readEmbedding(custom_id, response.body, dimensions);
  }
  if (response == null && said == null) return { kind: 'lost', custom_id, reason: 'no response' };
  // An error beside a response is the batch's own: the request was not done, whatever the response says.
  const answer = readOpenAIError(error ?? said, error == null ? response?.status_code : undefined);
  return { kind: KINDS[judgeOpenAI(answer).fault], custom_id, reason: describeOpenAIError(answer) };
}

/** What becomes of a row, by whose fault its error is. */
const KINDS = {
  input: 'refused',
  unknown: 'unexplained',
  account: 'lost',
  ours: 'lost',
  vendor: 'lost',
} as const satisfies Record<Fault, ResultRow['kind']>;

function readEmbedding(custom_id: string, body: unknown, dimensions: number): ResultRow {
  const parsed = bodySchema.safeParse(body);
  if (!parsed.success) return { kind: 'lost', custom_id, reason: 'not one vector' };
  try {
    const embedding = readVector(parsed.data.data[0].embedding, dimensions);
    const prompt_tokens = tokensSchema.parse(fieldOf(fieldOf(body, 'usage'), 'prompt_tokens'));
    return { kind: 'embedded', custom_id, embedding, prompt_tokens };
  } catch (error) {
    const reason = error instanceof LayerError ? error.message : 'no vector';
    return { kind: 'lost', custom_id, reason };
  }
}
