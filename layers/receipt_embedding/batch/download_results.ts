import { Readable } from 'node:stream';
import type OpenAI from 'openai';
import { ResultsExpired, UpstreamUnavailable } from '../errors.ts';
import { linesOf } from '../files/lines.ts';
import { found, isKnownId, translated } from './openai_batches.ts';
import { readResultRow, type ResultRow } from './result_row.ts';

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
 * @throws ResultsExpired when OpenAI does not have it any more.
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
