import { MARK_LIFE_MS } from 'receipt-embedding/delivery/up_to_date';
import { isEnded } from 'receipt-embedding/entities/batch';
import { type ReceiptIdentity, toTimestamp } from 'receipt-embedding/entities/keys';
import { readBatchSummary } from 'receipt-embedding/table/batch_summaries';
import type { Table } from 'receipt-embedding/table/table';
import { WrongArgument } from '../command_line/arguments.ts';
import { ClaimOwners } from '../table/return_to_none.ts';
import { SILENT_LOGGER } from '../table/silent_logger.ts';
import { unsettledEntitiesOf } from '../table/unsettled_entities.ts';
import type { Holdings } from './holdings.ts';

/**
 * Refuses a receipt that somebody is at work on: what they hold in their hands would come back.
 *
 * @throws WrongArgument with who that is, and what to do.
 */
export async function requireNobodyAtWork(
  receipt: ReceiptIdentity,
  { record, batches }: Holdings,
  { table, now, stack }: { readonly table: Table; readonly now: Date; readonly stack?: string },
): Promise<void> {
  const option = stack === undefined ? '' : ` --stack ${stack}`;
  const poll = `Bring it to its end first (npx receipts execute batch-poll${option}), or cancel it at OpenAI and poll once more.`;
  for (const { batch_id } of batches) {
    const batch = await readBatchSummary(table, batch_id);
    if (batch === undefined || isEnded(batch.status)) continue;
    throw new WrongArgument(
      `Nothing was removed: the batch ${batch_id} has the receipt, and has not ended (${batch.status}). ${poll}`,
    );
  }
  const owners = new ClaimOwners(table, SILENT_LOGGER);
  for await (const entity of unsettledEntitiesOf(table, receipt)) {
    if (entity.status !== 'PENDING' || !(await owners.isLive(entity))) continue;
    const who =
      entity.owner === undefined ? 'a batch of an older system' : `the batch ${entity.owner}`;
    throw new WrongArgument(
      `Nothing was removed: ${who} has claimed lines or words of the receipt, and has not ended. ${poll}`,
    );
  }
  const since = Object.values(record?.marks ?? {}).map((mark) => Date.parse(mark));
  const over = Math.max(...since) + MARK_LIFE_MS;
  if (over > now.getTime()) {
    throw new WrongArgument(
      `Nothing was removed: an execution is writing the receipt's vectors to the stores, or died in the middle. Run this again after ${toTimestamp(new Date(over))}.`,
    );
  }
}
