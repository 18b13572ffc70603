import type { Batch } from './batch.ts';
import type { BatchState } from './batch_script.ts';
import { embeddingsUrl } from './request_line.ts';

/** A day, in seconds: the only completion window. */
const completionWindow = 24 * 3600;

/** A batch as OpenAI answers it. */
export function batchObject(batch: Batch): object {
  const { id, inputFileId, metadata, created } = batch.created;
  const at = (state: BatchState): number | null => {
    const moment = batch.moments.get(state);
    return moment === undefined ? null : seconds(moment);
  };
  const tokens = batch.results?.tokens ?? 0;
  return {
    id,
    object: 'batch',
    endpoint: embeddingsUrl,
    model: batch.input?.model ?? null,
    errors:
      batch.errors === undefined
        ? null
        : {
            object: 'list',
            data: batch.errors.map(({ code, message, line, param }) => ({
              code,
              message,
              line: line ?? null,
              param: param ?? null,
            })),
          },
    input_file_id: inputFileId,
    completion_window: '24h',
    status: batch.state,
    output_file_id: batch.files.output ?? null,
    error_file_id: batch.files.error ?? null,
    created_at: seconds(created),
    in_progress_at: at('in_progress'),
    expires_at: seconds(created) + completionWindow,
    finalizing_at: at('finalizing'),
    completed_at: at('completed'),
    failed_at: at('failed'),
    expired_at: at('expired'),
    cancelling_at: at('cancelling'),
    cancelled_at: at('cancelled'),
    request_counts: {
      total: batch.input?.requests ?? 0,
      completed: batch.results?.completed ?? 0,
      failed: batch.results?.failed ?? 0,
    },
    usage: {
      input_tokens: tokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 0,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: tokens,
    },
    metadata,
  };
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
