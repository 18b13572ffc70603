import type { ChangedReceipt, Changes } from 'receipt-embedding/arrivals/changed_receipts';
import { ownError } from 'receipt-embedding/layer_error';
import type { Logger } from 'receipt-embedding/ports';
import { mapSettled } from 'receipt-embedding/settled_map';
import type { LatestChange } from 'receipt-embedding/table/latest_changes';

export interface NotePorts {
  /** @returns false when a newer change is known. */
  readonly note: (receipt: LatestChange) => Promise<boolean>;
  readonly send: (receipts: readonly LatestChange[]) => Promise<void>;
  readonly logger: Logger;
}

const RECEIPTS_AT_ONCE = 25;

/**
 * Notes changes, and only then sends what waits: whoever takes a message finds the note that it belongs to, or a newer one.
 *
 * @returns what was sent, and the sequence number at which the stream is to begin again, if a receipt could not be noted.
 * @throws what `send` throws: then all is to come again.
 */
export async function noteArrivals(
  { receipts }: Pick<Changes, 'receipts'>,
  { note, send, logger }: NotePorts,
): Promise<{ readonly waiting: readonly LatestChange[]; readonly failed: string | undefined }> {
  const failures: ChangedReceipt[] = [];
  const noted = await mapSettled(
    receipts,
    async (receipt) => {
      const { image_id, receipt_id, change } = receipt;
      const latest = { image_id, receipt_id, change };
      try {
        return (await note(latest)) ? [latest] : [];
      } catch (error) {
        const { name, message } = ownError(error);
        const why = { image_id, receipt_id, error_name: name, error_message: message };
        logger.warn('a changed receipt could not be noted', why);
        failures.push(receipt);
        return [];
      }
    },
    { atOnce: RECEIPTS_AT_ONCE },
  );
  const waiting = noted.flat();
  if (waiting.length > 0) await send(waiting);
  const [failed] = failures.map(({ first }) => first).sort(bySequence);
  return { waiting, failed };
}

/** Numbers of up to 40 digits. */
function bySequence(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1);
}
