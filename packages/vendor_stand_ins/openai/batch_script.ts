import type { ErrorDetail } from './errors.ts';

/** How the Batch API behaves where no script says otherwise. */
export interface BatchOptions {
  /**
   * How long a batch takes, milliseconds, a third of it in each of `validating`, `in_progress` and `finalizing`. 0: it is
   * done when somebody looks. Infinity: only `advance` moves it.
   *
   * @default 0
   */
  readonly latencyMs?: number;
  /** @default this machine's */
  readonly clock?: () => Date;
  /**
   * The share (0 to 1) of rows that expire. Which ones follows from their custom_id, and none expires a second time, so
   * whoever submits them again comes to an end.
   *
   * @default 0
   */
  readonly expireShare?: number;
}

/** A batch's states, as OpenAI names them. */
export type BatchState =
  | 'validating'
  | 'failed'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'expired'
  | 'cancelling'
  | 'cancelled';

/** A batch as a test sees it. */
export interface BatchView {
  readonly id: string;
  readonly state: BatchState;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly inputFileId: string;
  readonly outputFileId: string | undefined;
  readonly errorFileId: string | undefined;
}

/** Why a batch has failed, as `errors.data` of the batch gives it. */
export interface BatchError {
  readonly code: string;
  readonly message: string;
  /** The line of the input file, from 1. */
  readonly line?: number | null;
  readonly param?: string | null;
}

/**
 * What becomes of one request of a batch. A request that breaks a limit of the embeddings endpoint is refused with
 * OpenAI's own reason, wherever it would have had a vector.
 *
 * In the output file:
 * - `ok`: its vector, in the encoding that it asked for
 * - `doubled`: its row comes twice
 * - `float`: its vector is an array of numbers, whatever it asked for
 * - `nan`: its vector is NaN all through (in base64; null in an array)
 * - `{ dimension }`: its vector has this length
 * - `malformed`: a line that is not JSON stands in the place of its row
 * - `cut`: its row ends in the middle, and the next line is sound
 *
 * In the error file:
 * - `refused`: status 400
 * - `server_error`: status 500
 * - `expired`, `cancelled`: never done, with the code `batch_expired` or `batch_cancelled` and no response
 *
 * In either:
 * - `{ status, … }`: this status, and what is said of its error; `in` says which file. @default in: 'error_file'
 *
 * In neither: `missing`.
 */
export type RowOutcome =
  | 'ok'
  | 'doubled'
  | 'float'
  | 'nan'
  | 'malformed'
  | 'cut'
  | 'refused'
  | 'server_error'
  | 'expired'
  | 'cancelled'
  | 'missing'
  | { readonly dimension: number }
  | StatusOutcome;

export interface StatusOutcome extends Partial<ErrorDetail> {
  readonly status: number;
  readonly in?: 'error_file' | 'output_file';
}

/**
 * What becomes of a batch. Whatever a script leaves out goes well: `{}` is a batch that completes, each row `ok`. A file
 * without rows is not made, so a batch whose rows are all `refused` has only an error file, and one whose rows are all
 * `missing` has no file at all.
 *
 * @example stand.batches.script({ end: 'expired', rows: { [doneId]: 'ok' } }); // the others expire
 * @example stand.batches.script({ rows: { [id]: 'refused' } }, ({ metadata }) => metadata?.['batch_id'] === batchId);
 * @example stand.batches.script({ rows: (_, i) => (i % 10 === 0 ? 'missing' : undefined), outputFile: 'gone' });
 * @example stand.batches.script({ end: 'failed', errors: [{ code: 'token_limit_exceeded', message: '…' }] });
 */
export interface BatchScript {
  /**
   * How it ends.
   *
   * @default 'completed', or 'expired' where a row expires, by `rows` or by the stand-in's `expireShare`
   */
  readonly end?: 'completed' | 'failed' | 'expired' | 'cancelled';
  /** With `end: 'failed'`. @default one error that says so */
  readonly errors?: readonly BatchError[];
  /** It reaches this state and stays there, until the script is removed or `advance` moves it. */
  readonly stays?: 'validating' | 'in_progress' | 'finalizing' | 'cancelling';
  /** By custom_id, or by the custom_id and the request's place in the input file, from 0. */
  readonly rows?:
    | Readonly<Record<string, RowOutcome>>
    | ((customId: string, index: number) => RowOutcome | undefined);
  /**
   * What becomes of the rows that `rows` does not name.
   *
   * @default 'ok'; in a batch that expires or is cancelled, 'expired' or 'cancelled'
   */
  readonly otherwise?: RowOutcome;
  /** Custom ids that nobody asked for: each gets a good row at the end of the output file. */
  readonly unknownRows?: readonly string[];
  /** The batch names this file, and the file does not exist: 404. */
  readonly outputFile?: 'gone';
  readonly errorFile?: 'gone';
  /** OpenAI knows no such batch (404), and lists none, for as long as the script is in force. */
  readonly gone?: true;
}
