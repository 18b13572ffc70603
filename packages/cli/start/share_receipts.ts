import type { StartPath } from './options.ts';

/** How many receipts each workflow may take; undefined: all that it finds; 0: it is not to run. */
export interface ReceiptLimits {
  readonly realtime: number | undefined;
  readonly batch: number | undefined;
}

/** The realtime workflow gets half of the receipts, or of `limit`, and the larger half; the batches get the rest. */
export function shareReceipts(
  path: StartPath,
  receipts: number,
  limit: number | undefined,
): ReceiptLimits {
  if (path === 'realtime') return { realtime: limit, batch: 0 };
  if (path === 'batch') return { realtime: 0, batch: limit };
  const wanted = Math.min(limit ?? receipts, receipts);
  // Of no receipts at all, the realtime workflow is the one that says so.
  const realtime = Math.max(1, Math.ceil(wanted / 2));
  const batch = Math.max(0, wanted - realtime);
  return { realtime, batch: batch > 0 && limit === undefined ? undefined : batch };
}
