import { ApiError } from '../api_error.ts';
import { answerOf } from '../embedding_answer.ts';
import { validate } from '../embedding_request.ts';
import { embedText } from '../text_embedding.ts';
import type { BatchInput } from './batch_input.ts';
import type { RowOutcome, StatusOutcome } from './batch_script.ts';

/** A row of an output or error file, before it is made. */
export interface PlannedRow {
  /** The request that it answers, from 0; beyond the last one for a row that answers none. */
  readonly index: number;
  readonly outcome: RowOutcome;
  /** Where it answers none: the custom_id that nobody asked for. */
  readonly unknownId?: string;
}

/**
 * The lines of a file, each with its line end, and each made when it is asked for.
 *
 * @param lineMade called for each.
 */
export function* linesOf(
  batchId: string,
  input: BatchInput,
  rows: readonly PlannedRow[],
  lineMade: () => void,
): Generator<string> {
  for (const row of rows) {
    lineMade();
    const line = lineOf(batchId, input, row);
    if (row.outcome === 'malformed') yield 'upstream connect error or disconnect\n';
    else if (row.outcome === 'cut') yield `${line.slice(0, line.length / 2)}\n`;
    else yield `${line}\n`;
  }
}

function lineOf(batchId: string, input: BatchInput, row: PlannedRow): string {
  // A row that answers no request borrows the body of one.
  const request = input.request(row.index % input.requests);
  const id = `batch_req_${batchId.slice(-16)}${row.index.toString(16).padStart(8, '0')}`;
  const customId = row.unknownId ?? request.custom_id;
  const { response, error } = answerTo(request.body, row.outcome, id);
  return `{"id":"${id}","custom_id":${JSON.stringify(customId)},"response":${response},"error":${error}}`;
}

interface Answer {
  /** Both as JSON. */
  readonly response: string;
  readonly error: string;
}

function answerTo(
  body: Readonly<Record<string, unknown>>,
  outcome: RowOutcome,
  id: string,
): Answer {
  if (outcome === 'expired') {
    return neverDone(
      'batch_expired',
      'This request could not be executed before the completion window expired.',
    );
  }
  if (outcome === 'cancelled') {
    return neverDone('batch_cancelled', 'This request was not executed: the batch was cancelled.');
  }
  const status = statusOf(outcome);
  if (status !== undefined) return answered(id, status.status, errorBody(status));
  try {
    return answered(id, 200, embeddingBody(body, outcome));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return answered(id, error.status, JSON.stringify({ error: error.detail }));
  }
}

/** The error that an outcome stands for, if it does. */
export function statusOf(outcome: RowOutcome): StatusOutcome | undefined {
  if (outcome === 'refused') return { status: 400 };
  if (outcome === 'server_error') return { status: 500 };
  return typeof outcome === 'object' && 'status' in outcome ? outcome : undefined;
}

function neverDone(code: string, message: string): Answer {
  return { response: 'null', error: JSON.stringify({ code, message }) };
}

function answered(id: string, status: number, body: string): Answer {
  const requestId = id.replace('batch_req_', 'req_');
  return {
    response: `{"status_code":${status},"request_id":"${requestId}","body":${body}}`,
    error: 'null',
  };
}

function embeddingBody(body: Readonly<Record<string, unknown>>, outcome: RowOutcome): string {
  const request = validate(outcome === 'float' ? { ...body, encoding_format: 'float' } : body);
  const dimensions =
    typeof outcome === 'object' && 'dimension' in outcome ? outcome.dimension : request.dimensions;
  const vectors = request.inputs.map((text, index) => ({
    index,
    vector:
      outcome === 'nan' ? new Float32Array(dimensions).fill(NaN) : embedText(text, dimensions),
  }));
  return answerOf(request, vectors);
}

function errorBody({ status, message, code }: StatusOutcome): string {
  const ofOpenAI = status >= 500;
  return JSON.stringify({
    error: {
      message:
        message ??
        (ofOpenAI
          ? 'The server had an error while processing your request. Sorry about that!'
          : `Invalid 'input': this input was refused.`),
      type: ofOpenAI ? 'server_error' : 'invalid_request_error',
      param: ofOpenAI ? null : 'input',
      code: code ?? null,
    },
  });
}
