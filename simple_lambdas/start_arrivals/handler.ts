import { createStepFunctionsClient, startExecution } from 'receipt-embedding/executions';
import { forgetChange, latestChanges } from 'receipt-embedding/table/latest_changes';
import { z } from 'zod';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler } from '../runtime/handler.ts';
import { declaration } from './declaration.ts';
import { startArrivals } from './start_arrivals.ts';

const inputSchema = z.object({
  Records: z.array(z.object({ messageId: z.string(), body: z.string() })),
});

/** The messages that are to come again (Lambda's guide, "Implementing partial batch responses"). */
export interface StartOutput {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

const environment = readEnvironment(declaration);
const table = openTable(environment);
const sfn = createStepFunctionsClient();

/**
 * Starts the realtime workflow for the receipts of messages that have waited, unless they have changed again meanwhile.
 *
 * @example
 * // event
 * { Records: [{ messageId: '059f…', body: '{"receipts":[{"image_id":"3f52…","receipt_id":1,"change":"0…0111"}]}', … }] }
 * // answer
 * { batchItemFailures: [] }
 */
export const handler = createHandler(declaration, {
  input: inputSchema,
  handle: async ({ Records }, { logger, metrics }): Promise<StartOutput> => {
    const { started, executions, unreadable } = await startArrivals(Records, {
      latestChanges: (receipts) => latestChanges(table, receipts),
      start: (name, receipts) =>
        startExecution(sfn, {
          stateMachineArn: environment.REALTIME_STATE_MACHINE_ARN,
          name,
          input: { receipts },
        }),
      forget: (receipt) => forgetChange(table, receipt),
      logger,
    });
    metrics.count('ReceiptsArrived', started);
    logger.info('arrivals handled', { messages: Records.length, started, executions });
    return { batchItemFailures: unreadable.map((itemIdentifier) => ({ itemIdentifier })) };
  },
});
