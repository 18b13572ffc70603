import { ApiError } from '../answers.ts';
import type { BatchInput } from './batch_input.ts';
import type { BatchScript, RowOutcome, StatusOutcome } from './batch_script.ts';
import { validate } from './embedding_request.ts';
import { embeddingBody } from './embeddings.ts';
import { errorDetail } from './errors.ts';
import { embedText } from './text_embedding.ts';

/** What a batch has come to. */
export interface BatchResults {
  readonly output: readonly PlannedRow[];
  readonly errors: readonly PlannedRow[];
  /** Requests that OpenAI believes done, and the tokens of their inputs. */
  readonly completed: number;
  readonly tokens: number;
  readonly failed: number;
}

/** A row of an output or error file, before it is made. */
export interface PlannedRow {
  /** The request that it answers, from 0; beyond the last one for a row that answers none. */
  readonly index: number;
  readonly outcome: RowOutcome;
  /** Where it answers none: the custom_id that nobody asked for. */
  readonly unknownId?: string;
}

/**
 * Decides what becomes of each request.
 *
 * @param end how the batch ends, where that is settled already.
 * @param expires whether a row that no script names expires.
 */
export function resultsOf(
  input: BatchInput,
  script: BatchScript,
  end: BatchScript['end'],
  expires: (customId: string) => boolean,
): BatchResults {
  const output: PlannedRow[] = [];
  const errors: PlannedRow[] = [];
  let completed = 0;
  let tokens = 0;
  for (let index = 0; index < input.requests; index++) {
    const customId = input.request(index).custom_id;
    const valid = input.tokens(index) > 0;
    const outcome =
      scriptedOutcome(script, customId, index) ??
      (end === 'expired' || end === 'cancelled' ? end : undefined) ??
      (end === undefined && valid && expires(customId) ? 'expired' : 'ok');
    const file = fileOf(outcome, valid);
    if (file === 'output') output.push({ index, outcome });
    if (file === 'output' && outcome === 'doubled') output.push({ index, outcome });
    if (file === 'error') errors.push({ index, outcome });
    if (file === 'error' || statusOf(outcome) !== undefined) continue;
    completed += 1;
    tokens += input.tokens(index);
  }
  const unknown = (script.unknownRows ?? []).map((unknownId, i): PlannedRow => ({
    index: input.requests + i,
    outcome: 'ok',
    unknownId,
  }));
  return {
    output: [...inNoOrder(output), ...unknown],
    errors: inNoOrder(errors),
    completed,
    tokens,
    failed: input.requests - completed,
  };
}

function scriptedOutcome(
  { rows, otherwise }: BatchScript,
  customId: string,
  index: number,
): RowOutcome | undefined {
  if (typeof rows === 'function') return rows(customId, index) ?? otherwise;
  return rows !== undefined && Object.hasOwn(rows, customId) ? rows[customId] : otherwise;
}

/** @param valid whether the embeddings endpoint takes the request. */
function fileOf(outcome: RowOutcome, valid: boolean): 'output' | 'error' | 'none' {
  if (outcome === 'missing') return 'none';
  if (outcome === 'expired' || outcome === 'cancelled') return 'error';
  const status = statusOf(outcome);
  if (status !== undefined) return status.in === 'output_file' ? 'output' : 'error';
  return valid || outcome === 'malformed' ? 'output' : 'error';
}

/** The error that an outcome stands for, if it does. */
function statusOf(outcome: RowOutcome): StatusOutcome | undefined {
  if (outcome === 'refused') {
    return { status: 400, message: `Invalid 'input': this input was refused.`, param: 'input' };
  }
  if (outcome === 'server_error') return { status: 500 };
  return typeof outcome === 'object' && 'status' in outcome ? outcome : undefined;
}

/** Whether a row of the output file has the vector that was asked for. */
export function isSound(outcome: RowOutcome): boolean {
  return outcome === 'ok' || outcome === 'doubled' || outcome === 'float';
}

/** OpenAI's outputs are in another order than the inputs. This one follows from the number of items alone. */
function inNoOrder<Item>(items: readonly Item[]): readonly Item[] {
  const places = items.map((item, i) => ({ item, place: scatter(i + 1) }));
  return places.sort((a, b) => a.place - b.place).map(({ item }) => item);
}

/** Multiplication by an odd number and shifts of a 32-bit number: different numbers stay different. */
function scatter(value: number): number {
  const once = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  const twice = Math.imul(once ^ (once >>> 16), 0x45d9f3b);
  return (twice ^ (twice >>> 16)) >>> 0;
}

/** The lines of a file, each with its line end, and each made when it is asked for. */
export function* linesOf(
  batchId: string,
  input: BatchInput,
  rows: readonly PlannedRow[],
): Generator<string> {
  for (const row of rows) {
    if (row.outcome === 'malformed') {
      yield 'upstream connect error or disconnect\n';
      continue;
    }
    const line = JSON.stringify(rowOf(batchId, input, row));
    yield row.outcome === 'cut' ? `${line.slice(0, line.length / 2)}\n` : `${line}\n`;
  }
}

function rowOf(batchId: string, input: BatchInput, row: PlannedRow): object {
  // A row that answers no request borrows the body of one.
  const request = input.request(row.index % input.requests);
  const number = `${batchId.slice(-16)}${row.index.toString(16).padStart(8, '0')}`;
  const answer = answerTo(request.body, row.outcome);
  return {
    id: `batch_req_${number}`,
    custom_id: row.unknownId ?? request.custom_id,
    ...('code' in answer
      ? { response: null, error: answer }
      : { response: { ...answer, request_id: `req_${number}` }, error: null }),
  };
}

type Answer =
  | { readonly status_code: number; readonly body: object }
  /** The request was never done. */
  | { readonly code: string; readonly message: string };

function answerTo(body: Readonly<Record<string, unknown>>, outcome: RowOutcome): Answer {
  if (outcome === 'expired') {
    return {
      code: 'batch_expired',
      message: 'This request could not be executed before the completion window expired.',
    };
  }
  if (outcome === 'cancelled') {
    return {
      code: 'batch_cancelled',
      message: 'This request was not executed: the batch was cancelled.',
    };
  }
  const refused = statusOf(outcome);
  if (refused !== undefined) {
    const { status } = refused;
    return { status_code: status, body: { error: errorDetail(status, refused) } };
  }
  try {
    return { status_code: 200, body: vectorsFor(body, outcome) };
  } catch (error) {
    if (error instanceof ApiError) return { status_code: error.status, body: error.body };
    throw error;
  }
}

/** @throws ApiError for a request that breaks a limit. */
function vectorsFor(body: Readonly<Record<string, unknown>>, outcome: RowOutcome): object {
  const request = validate(outcome === 'float' ? { ...body, encoding_format: 'float' } : body);
  const dimensions =
    typeof outcome === 'object' && 'dimension' in outcome ? outcome.dimension : request.dimensions;
  const vectors = request.inputs.map((text, index) => ({
    index,
    vector:
      outcome === 'nan' ? new Float32Array(dimensions).fill(NaN) : embedText(text, dimensions),
  }));
  return embeddingBody(request, vectors);
}
