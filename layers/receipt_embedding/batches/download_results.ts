import { Readable } from 'node:stream';
import type OpenAI from 'openai';
import { z } from 'zod';
import { readVector } from '../embeddings/embedder.ts';
import { ResultsExpired, UpstreamUnavailable } from '../errors.ts';
import { linesOf, parseJson } from '../local_files.ts';
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
  } catch (cause) {
    throw new UpstreamUnavailable(`the download of the file ${fileId} from OpenAI broke off`, {
      cause,
    });
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
  /** It was not embedded, through no fault of its own: expired, cancelled, a server's error, a vector that is none. */
  | { readonly kind: 'lost'; readonly custom_id: string; readonly reason: string }
  /** Nothing can be told from it. */
  | { readonly kind: 'unreadable'; readonly reason: string };

const errorSchema = z.object({ code: z.string().nullish(), message: z.string().nullish() });

const rowSchema = z.object({
  custom_id: z.string(),
  response: z
    .object({
      status_code: z.int(),
      body: z
        .object({
          data: z.array(z.object({ embedding: z.unknown() })).optional(),
          usage: z.object({ prompt_tokens: z.int().min(0) }).optional(),
          error: errorSchema.nullish(),
        })
        .nullish(),
    })
    .nullish(),
  error: errorSchema.nullish(),
});

type Row = z.output<typeof rowSchema>;

/** Client errors that say nothing about the input: the key, the model, a conflict, the speed. */
const NOT_THE_INPUT = new Set([401, 403, 404, 408, 409, 429]);

/** As long as fits a row of the table. */
const REASON_CHARACTERS = 500;

/**
 * Reads one line; whatever it is, this does not throw.
 * @example
 * ```ts
 * readResultRow('{"custom_id":"IMAGE#3f52…","response":{"status_code":400,"body":{"error":{"message":"empty input"}}}}', 1_536);
 * // { kind: 'refused', custom_id: 'IMAGE#3f52…', reason: '400 empty input' }
 * ```
 */
export function readResultRow(line: string, dimensions: number): ResultRow {
  const parsed = rowSchema.safeParse(parseJson(line));
  if (!parsed.success) return { kind: 'unreadable', reason: 'it is no result of a request' };
  const row = parsed.data;
  const { custom_id, response, error } = row;
  const status = response?.status_code;
  if (status === undefined || error != null) {
    return { kind: 'lost', custom_id, reason: describe(error, 'no response') };
  }
  if (status === 200) return readEmbedding(row, dimensions);
  const kind = status >= 400 && status < 500 && !NOT_THE_INPUT.has(status) ? 'refused' : 'lost';
  return { kind, custom_id, reason: `${status} ${describe(response?.body?.error, '')}`.trim() };
}

function readEmbedding({ custom_id, response }: Row, dimensions: number): ResultRow {
  const [data, ...more] = response?.body?.data ?? [];
  if (data === undefined || more.length > 0) {
    return { kind: 'lost', custom_id, reason: 'not one vector' };
  }
  try {
    const embedding = readVector(data.embedding, dimensions);
    const prompt_tokens = response?.body?.usage?.prompt_tokens ?? 0;
    return { kind: 'embedded', custom_id, embedding, prompt_tokens };
  } catch (error) {
    return {
      kind: 'lost',
      custom_id,
      reason: error instanceof Error ? error.message : 'no vector',
    };
  }
}

function describe(
  error: z.output<typeof errorSchema> | null | undefined,
  otherwise: string,
): string {
  const text = [error?.code, error?.message].filter(Boolean).join(': ');
  return (text === '' ? otherwise : text).slice(0, REASON_CHARACTERS);
}
