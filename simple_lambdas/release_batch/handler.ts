import { markBatchComplete } from 'receipt-embedding/batches/mark_batch_complete';
import { readRequestedEntities } from 'receipt-embedding/batches/requested_entities';
import { claimBatch, readBatchSummary, updateBatch } from 'receipt-embedding/table/batch_summaries';
import { readReceiptText } from 'receipt-embedding/table/receipt_contents';
import { countOutcome } from '../runtime/batch_metrics.ts';
import { endOnce } from '../runtime/end_batch.ts';
import { parseEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { connectOpenAI, openaiVariables } from '../runtime/openai_access.ts';
import { openBatchStorage, openTable, storeVariables } from '../runtime/stores.ts';
import { endWithoutResults, idsOf, releaseBatchInputSchema } from './release_batch.ts';

const environment = parseEnvironment(
  {
    ...storeVariables,
    ...openaiVariables,
  },
  process.env,
);
const table = openTable(environment);
const storage = openBatchStorage(environment);

/** Ends a batch that has no results, and gives back what it had claimed. @see markBatchComplete */
export const handler = createHandler({
  service: 'release_batch',
  input: releaseBatchInputSchema,
  handle: async (input, { logger, metrics }) => {
    const { batch_id } = input;
    const claim = () => ({ batch_id, owner: input.execution_name, now: new Date() });
    const outcome = await endOnce(batch_id, {
      claim: () => claimBatch(table, claim()),
      read: () => readBatchSummary(table, batch_id),
      end: async (batch) => {
        const ids = await idsOf(batch, {
          plannedIds: () => storage.plannedIds(batch_id),
          requestedIds: () => storage.requestedIds(batch_id),
          recoverIds: async (foreign) => {
            const { texts } = await readRequestedEntities(foreign, input.input_file_id, {
              storage,
              openai: await connectOpenAI(environment),
              readText: (receipt) => readReceiptText(table, receipt, logger),
            });
            await storage.writeRequestedIds(batch_id, [...texts.keys()]);
            await updateBatch(table, claim(), { requested: texts.size });
          },
        });
        return await markBatchComplete(table, claim(), batch, ids, endWithoutResults(input, batch));
      },
    });
    countOutcome(metrics, outcome);
    // OpenAI's reason may quote an input: it is on the batch's record, and in no log.
    logger.info('batch released', { ...outcome, reason: undefined });
    return outcome;
  },
});
