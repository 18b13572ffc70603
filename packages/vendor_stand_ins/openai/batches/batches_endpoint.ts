import type { ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import { invalidRequest } from '../api_error.ts';
import { parseBody } from '../embedding_request.ts';
import { jsonAnswer } from '../json_answer.ts';
import { batchObject } from './batch_object.ts';
import type { Batches } from './batches.ts';
import { readNewBatch } from './new_batch.ts';

const defaultLimit = 20;
const maxLimit = 100;

/** `/v1/batches`. */
export class BatchesEndpoint {
  readonly #batches: Batches;

  constructor(batches: Batches) {
    this.#batches = batches;
  }

  /** @throws ApiError 400 */
  create({ body }: ServiceRequest): ServiceResponse {
    return jsonAnswer(batchObject(this.#batches.create(readNewBatch(parseBody(body)))));
  }

  /** @throws ApiError 404 */
  retrieve(id: string): ServiceResponse {
    return jsonAnswer(batchObject(this.#batches.get(id)));
  }

  /** @throws ApiError 404, 409 */
  cancel(id: string): ServiceResponse {
    return jsonAnswer(batchObject(this.#batches.cancel(id)));
  }

  /** @throws ApiError 400 for a limit out of range, or an `after` that is no batch. */
  list({ query }: ServiceRequest): ServiceResponse {
    const limit = limitOf(query.get('limit'));
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

function limitOf(text: string | null): number {
  const limit = text === null ? defaultLimit : Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= maxLimit) return limit;
  throw invalidRequest(`Invalid 'limit': expected an integer from 1 to ${maxLimit}.`, {
    param: 'limit',
  });
}
