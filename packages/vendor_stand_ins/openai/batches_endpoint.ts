import type { ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import * as z from 'zod';
import { jsonAnswer, type JsonObject } from '../answers.ts';
import type { Batch } from './batch.ts';
import { EMBEDDINGS_URL } from './batch_input.ts';
import type { BatchState } from './batch_script.ts';
import type { Batches } from './batches.ts';
import { parseBody } from './embeddings.ts';
import { invalidRequest, missingParameter } from './errors.ts';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** A day: the only completion window. */
const COMPLETION_WINDOW_SECONDS = 24 * 3600;

/** With the limits of metadata in OpenAI's reference. Whether the input file exists, and is good, is for the validation to find. */
const newBatchSchema = z.object({
  input_file_id: z.string().startsWith('file-'),
  endpoint: z.literal(EMBEDDINGS_URL),
  completion_window: z.literal('24h'),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((pairs) => Object.keys(pairs).length <= 16, 'at most 16 pairs')
    .nullish(),
});

/** `/v1/batches`. */
export class BatchesEndpoint {
  readonly #batches: Batches;

  constructor(batches: Batches) {
    this.#batches = batches;
  }

  /** @throws ApiError 400 */
  create({ body }: ServiceRequest): ServiceResponse {
    const parsed = parseBody(body);
    const { data, error } = newBatchSchema.safeParse(parsed);
    if (data === undefined) throw wrongField(parsed, error);
    const { input_file_id: inputFileId, metadata = null } = data;
    return jsonAnswer(batchObject(this.#batches.create({ inputFileId, metadata })));
  }

  /** @throws ApiError 404 */
  retrieve(id: string): ServiceResponse {
    return jsonAnswer(batchObject(this.#batches.get(id)));
  }

  /** @throws ApiError 400 for a limit out of range, or an `after` that is no batch. */
  list({ query }: ServiceRequest): ServiceResponse {
    const limit = Number(query.get('limit') ?? DEFAULT_LIMIT);
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
      throw invalidRequest(`Invalid 'limit': expected an integer from 1 to ${MAX_LIMIT}.`, {
        param: 'limit',
      });
    }
    const after = query.get('after');
    const all = this.#batches.all();
    const last = after === null ? -1 : all.findIndex(({ created }) => created.id === after);
    if (after !== null && last < 0) {
      throw invalidRequest(`No batch found with id '${after}'.`, { param: 'after' });
    }
    const page = all.slice(last + 1, last + 1 + limit);
    return jsonAnswer({
      object: 'list',
      data: page.map(batchObject),
      first_id: page.at(0)?.created.id ?? null,
      last_id: page.at(-1)?.created.id ?? null,
      has_more: last + 1 + limit < all.length,
    });
  }
}

function wrongField(body: JsonObject, { issues: [issue] }: z.ZodError): Error {
  const param = issue?.path.join('.') ?? '';
  if (body[param] === undefined && issue?.path.length === 1) return missingParameter(param);
  return invalidRequest(`Invalid '${param}': ${issue?.message ?? ''}.`, {
    param,
    code: 'invalid_value',
  });
}

/** A batch as OpenAI answers it. */
function batchObject({ created, view, moments, input, errors, results }: Batch): object {
  const at = (state: BatchState): number | null => {
    const moment = moments.get(state);
    return moment === undefined ? null : seconds(moment);
  };
  const tokens = results?.tokens ?? 0;
  return {
    id: created.id,
    object: 'batch',
    endpoint: EMBEDDINGS_URL,
    model: input?.model ?? null,
    errors:
      errors === undefined
        ? null
        : {
            object: 'list',
            data: errors.map((error) => ({ line: null, param: null, ...error })),
          },
    input_file_id: created.inputFileId,
    completion_window: '24h',
    status: view.state,
    output_file_id: view.outputFileId ?? null,
    error_file_id: view.errorFileId ?? null,
    created_at: seconds(created.created),
    in_progress_at: at('in_progress'),
    expires_at: seconds(created.created) + COMPLETION_WINDOW_SECONDS,
    finalizing_at: at('finalizing'),
    completed_at: at('completed'),
    failed_at: at('failed'),
    expired_at: at('expired'),
    cancelling_at: at('cancelling'),
    cancelled_at: at('cancelled'),
    request_counts: {
      total: input?.requests ?? 0,
      completed: results?.completed ?? 0,
      failed: results?.failed ?? 0,
    },
    usage: {
      input_tokens: tokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 0,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: tokens,
    },
    metadata: created.metadata,
  };
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
