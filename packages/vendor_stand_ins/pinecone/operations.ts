import type { ServiceRequest, ServiceResponse } from 'embedded-aws/http/service';
import type { PineconeOperation } from './faults.ts';
import { describeIndex } from './index_description.ts';
import type { JsonObject } from './json_body.ts';
import { describeStats, fetch, list, query } from './read_operations.ts';
import type { UpsertLog } from './upsert_log.ts';
import type { VectorIndex } from './vector_index.ts';
import { type IndexSettings, remove, upsert } from './write_operations.ts';

/** What an operation works on. */
export interface OperationContext {
  readonly index: VectorIndex;
  readonly settings: IndexSettings & { readonly indexName: string };
  readonly log: UpsertLog;
}

/**
 * Does what a request asks for.
 *
 * @throws ApiError for an answer that is an error.
 */
export function perform(
  { index, settings, log }: OperationContext,
  name: PineconeOperation['name'],
  body: JsonObject,
  request: ServiceRequest,
): ServiceResponse {
  switch (name) {
    case 'upsert': {
      const answer = upsert(index, settings, { body, bytes: request.body.length });
      log.tookEffect(answer.upsertedCount);
      return ok(answer);
    }
    case 'delete':
      return ok(remove(index, body));
    case 'query':
      return ok(query(index, settings, body));
    case 'fetch':
      return ok(fetch(index, request.query));
    case 'list':
      return ok(list(index, request.query));
    case 'stats':
      return ok(describeStats(index, settings, body));
    case 'describe_index':
      return describeIndex(request, settings);
  }
}

function ok(answer: object): ServiceResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(answer),
  };
}
