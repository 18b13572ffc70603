import { setTimeout as sleep } from 'node:timers/promises';
import { claimPlannedEntities } from 'receipt-embedding/batches/requested_entities';
import { markBatchComplete } from 'receipt-embedding/batches/mark_batch_complete';
import {
  createOpenaiBatch,
  findOpenaiBatch,
  uploadBatchRequests,
} from 'receipt-embedding/batches/openai_batches';
import { createOpenAIClient } from 'receipt-embedding/embeddings/openai';
import { InvalidConfiguration, QuotaExhausted } from 'receipt-embedding/errors';
import {
  leaseBatch,
  createBatchSummary,
  readBatchSummary,
  updateBatch,
} from 'receipt-embedding/table/batch_summaries';
import { keepingLease, openBatchStorage } from '../runtime/batches.ts';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { deleteFiles } from '../runtime/openai_objects.ts';
import { requireSecret } from '../runtime/secrets.ts';
import { declaration } from './declaration.ts';
import {
  submissionOwner,
  submitBatch,
  submitBatchInputSchema,
  type SubmitBatchPorts,
} from './submit_batch.ts';

const environment = readEnvironment(declaration);
const table = openTable(environment);
const storage = openBatchStorage(environment);
const model = {
  model: environment.EMBEDDING_MODEL,
  dimensions: environment.EMBEDDING_DIMENSIONS,
};

/**
 * Submits one batch. @see submitBatch
 *
 * @example
 * // event
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', batch_type: 'WORD_EMBEDDING', execution_name: 'submit-1',
 *   execution_id: 'arn:aws:states:us-east-1:123456789012:execution:batch-submit-embedding-sf-dev:submit-1',
 * }
 * // answer
 * {
 *   batch_id: '6f1d2a34-0c55-4e0b-9a57-3b8f6d1c2e70', batch_type: 'WORD_EMBEDDING', status: 'submitted',
 *   requested: 120, openai_batch_id: 'batch_1', adopted: false,
 * }
 */
export const handler = createHandler(declaration, {
  input: submitBatchInputSchema,
  handle: async (input, { logger, metrics, requestId }) => {
    const { batch_id } = input;
    const openai = createOpenAIClient({
      apiKey: await requireSecret(environment, 'openai'),
      baseURL: environment.OPENAI_BASE_URL,
    });
    const owner = submissionOwner(input.execution_id, requestId);
    const claim = () => ({ batch_id, owner, now: new Date() });
    const ports: SubmitBatchPorts = {
      create: (batch) => createBatchSummary(table, batch, claim()),
      claim: () => leaseBatch(table, claim()),
      read: () => readBatchSummary(table, batch_id),
      update: (changes, options) => updateBatch(table, claim(), changes, options),
      claimEntities: () => claimPlannedEntities(table, batch_id, model, storage),
      upload: () =>
        storage.withRequestsFile(batch_id, (path) => uploadBatchRequests(openai, path, batch_id)),
      createAtOpenai: (inputFileId) => createOpenaiBatch(openai, inputFileId, batch_id),
      findAtOpenai: (since) => findOpenaiBatch(openai, batch_id, since),
      end: async (batch, end) => {
        const outcome = await markBatchComplete(
          table,
          claim(),
          batch,
          { requested: storage.requestedIds(batch_id), planned: storage.plannedIds(batch_id) },
          end,
        );
        await deleteFiles(batch_id, { environment, table, openai: () => openai, logger });
        return outcome;
      },
      clock: () => new Date(),
      sleep,
      model,
    };
    const result = await keepingLease(table, claim(), () => submitBatch(input, ports));
    if (result.status === 'submitted') metrics.count('BatchesSubmitted', 1);
    logger.info('batch submitted', { ...result });
    if (result.status === 'refused') throwInescapable(result);
    return result;
  },
});

/** A refusal that no other batch can escape ends the execution early: the state machine knows it by its error. */
function throwInescapable({
  error,
  cause,
}: {
  readonly error: string;
  readonly cause: string;
}): void {
  if (error === 'QuotaExhausted') throw new QuotaExhausted(cause);
  if (error === 'InvalidConfiguration') throw new InvalidConfiguration(cause);
}
