// Apart from batches.ts: functions that do not speak to OpenAI are to load without its client.
import type OpenAI from 'openai';
import { deleteOpenaiFiles, type OwnObjectsPorts } from 'receipt-embedding/batches/openai_batches';
import { isEnded, isOurs } from 'receipt-embedding/entities/batch';
import type { Logger } from 'receipt-embedding/ports';
import { readBatchSummary } from 'receipt-embedding/table/batch_summaries';
import type { Table } from 'receipt-embedding/table/table';
import { z } from 'zod';

/** What tells that OpenAI's word about a missing batch or file may be believed. @see believeMissing */
export function ownObjects(table: Table, client: OpenAI): OwnObjectsPorts {
  return {
    client,
    isOurs: async (batchId, openaiBatchId) => {
      const parsed = z.uuid().safeParse(batchId);
      const batch = parsed.success ? await readBatchSummary(table, parsed.data) : undefined;
      return batch?.openai_batch_id === openaiBatchId;
    },
    now: new Date(),
  };
}

/**
 * Deletes the files of a batch of ours that has ended: they hold the receipts' texts, and nobody needs them any more. A failure is
 * logged, and does not undo the end; OpenAI itself deletes them after 30 days.
 */
export async function deleteFiles(
  batchId: string,
  {
    environment,
    table,
    openai,
    logger,
  }: {
    readonly environment: { readonly KEEP_OPENAI_FILES: boolean };
    readonly table: Table;
    readonly openai: () => OpenAI | Promise<OpenAI>;
    readonly logger: Logger;
  },
): Promise<void> {
  if (environment.KEEP_OPENAI_FILES) return;
  try {
    const batch = await readBatchSummary(table, batchId);
    if (batch === undefined || !isOurs(batch) || !isEnded(batch.status)) return;
    const { input_file_id, result_file_id, error_file_id } = batch;
    await deleteOpenaiFiles(await openai(), [input_file_id, result_file_id, error_file_id]);
  } catch (error) {
    logger.warn('the files of a batch that has ended could not be deleted at OpenAI', {
      batch_id: batchId,
      error_name: error instanceof Error ? error.name : undefined,
    });
  }
}
