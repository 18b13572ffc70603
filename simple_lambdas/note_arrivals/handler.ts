import { createSqsClient, sendArrivals } from 'receipt-embedding/arrivals/arrival_queue';
import { changedReceipts, streamRecordSchema } from 'receipt-embedding/arrivals/changed_receipts';
import { noteChange } from 'receipt-embedding/table/latest_changes';
import { z } from 'zod';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { declaration } from './declaration.ts';
import { noteArrivals } from './note_arrivals.ts';

/** What Lambda makes of a part of the table's stream. */
const inputSchema = z.object({ Records: z.array(streamRecordSchema) });

/** Where the stream is to begin again: nothing, when all records are done (Lambda's guide, "Configuring partial batch response"). */
export interface NoteOutput {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

const environment = readEnvironment(declaration);
const table = openTable(environment);
const queue = { client: createSqsClient(), url: environment.ARRIVALS_QUEUE_URL };

/**
 * Reduces a batch of the stream's records to the receipts that they change, and puts these into the queue in which they wait.
 *
 * @example
 * // event
 * { Records: [{ eventName: 'INSERT', dynamodb: { Keys: {…}, NewImage: {…}, SequenceNumber: '111…' }, … }] }
 * // answer
 * { batchItemFailures: [] }
 */
export const handler = createHandler(declaration, {
  input: inputSchema,
  handle: async ({ Records }, { logger, metrics }): Promise<NoteOutput> => {
    const changes = changedReceipts(Records);
    for (const key of changes.invalid) {
      logger.warn('a changed row has a key that can not be read, and is skipped', { key });
    }
    metrics.count('InvalidRows', changes.invalid.length);
    const { waiting, failed } = await noteArrivals(changes, {
      note: (receipt) => noteChange(table, receipt),
      send: (receipts) => sendArrivals(queue, receipts),
      logger,
    });
    logger.info('changes noted', {
      records: Records.length,
      own_records: changes.own,
      receipts: waiting.length,
    });
    return { batchItemFailures: failed === undefined ? [] : [{ itemIdentifier: failed }] };
  },
});
