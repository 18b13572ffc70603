import { readArrivals } from 'receipt-embedding/arrivals/arrival_queue';
import { contentId } from 'receipt-embedding/embeddings/content_id';
import { type ReceiptIdentity, receiptPath } from 'receipt-embedding/entities/keys';
import { ownError } from 'receipt-embedding/layer_error';
import type { Logger } from 'receipt-embedding/ports';
import { mapSettled } from 'receipt-embedding/settled_map';
import type { LatestChange } from 'receipt-embedding/table/latest_changes';
import { MOST_NAMED_RECEIPTS } from '../find_receipts_realtime/declaration.ts';

/** A message of the queue, as Lambda hands it to a function. */
interface Message {
  readonly messageId: string;
  readonly body: string;
}

export interface StartPorts {
  /** The newest noted changes, by receiptPath. */
  readonly latestChanges: (
    receipts: readonly ReceiptIdentity[],
  ) => Promise<ReadonlyMap<string, string>>;
  /** Starts an execution, unless one of this name has been started before. */
  readonly start: (name: string, receipts: readonly ReceiptIdentity[]) => Promise<void>;
  /** Takes the note of this change away, unless a newer one is noted. */
  readonly forget: (receipt: LatestChange) => Promise<void>;
  readonly logger: Logger;
}

export interface StartedArrivals {
  /** Receipts that executions were started for. */
  readonly started: number;
  readonly executions: number;
  /** The messages that are none of ours, by their ids. */
  readonly unreadable: readonly string[];
}

const NOTES_AT_ONCE = 25;

/**
 * Of a receipt whose noted change is newer than the message's, another message is on its way; of one without a note, an execution has
 * been started. An execution's name is made of its receipts and their changes, so a batch that comes twice starts one execution.
 *
 * @throws what the ports throw; then all is to come again.
 */
export async function startArrivals(
  messages: readonly Message[],
  { latestChanges: readChanges, start, forget, logger }: StartPorts,
): Promise<StartedArrivals> {
  const { arrivals, unreadable } = readMessages(messages, logger);
  const latest = await readChanges(arrivals);
  const quiet = arrivals.filter((receipt) => {
    const noted = latest.get(receiptPath(receipt));
    return noted !== undefined && noted <= receipt.change;
  });
  let executions = 0;
  for (let at = 0; at < quiet.length; at += MOST_NAMED_RECEIPTS) {
    const part = quiet.slice(at, at + MOST_NAMED_RECEIPTS);
    await start(executionName(part), part.map(identityOf));
    executions++;
    await mapSettled(part, forget, { atOnce: NOTES_AT_ONCE });
  }
  return { started: quiet.length, executions, unreadable };
}

/** The newest change of each receipt, in the order of the receipts. */
function readMessages(
  messages: readonly Message[],
  logger: Logger,
): { readonly arrivals: readonly LatestChange[]; readonly unreadable: readonly string[] } {
  const newest = new Map<string, LatestChange>();
  const unreadable: string[] = [];
  for (const { messageId, body } of messages) {
    try {
      for (const receipt of readArrivals(body)) {
        const path = receiptPath(receipt);
        const known = newest.get(path);
        if (known === undefined || known.change < receipt.change) newest.set(path, receipt);
      }
    } catch (error) {
      const { message } = ownError(error);
      logger.warn('a message can not be read', { message_id: messageId, error_message: message });
      unreadable.push(messageId);
    }
  }
  const arrivals = [...newest.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  return { arrivals: arrivals.map(([, receipt]) => receipt), unreadable };
}

function executionName(receipts: readonly LatestChange[]): string {
  const content = receipts.map((receipt) => `${receiptPath(receipt)} ${receipt.change}`);
  return `arrivals-${contentId(content.join('\n'))}`;
}

function identityOf({ image_id, receipt_id }: LatestChange): ReceiptIdentity {
  return { image_id, receipt_id };
}
