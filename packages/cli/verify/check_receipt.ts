import { deadMarks } from 'receipt-embedding/delivery/up_to_date';
import { compareReceipt, type Difference } from 'receipt-embedding/verification/compare_receipt';
import { type FoundReceipt, readReceipt, type ReadingPorts } from './read_receipt.ts';
import type { ListedReceipt } from './verified_receipts.ts';

export interface CheckedReceipt {
  /** What differed both times that it was looked at. */
  readonly differences: readonly Difference[];
  /** Somebody is writing its vectors, so that nothing can be said of it. */
  readonly busy: boolean;
  readonly found: FoundReceipt;
}

/** Reads that a record may change under, before its receipt counts as busy. */
const MOST_TRIES = 3;

/**
 * Compares a receipt. What differs is looked at once more: an index of the table, and some stores, show a write late, and an execution may
 * be between two steps.
 */
export async function checkReceipt(
  listed: ListedReceipt,
  ports: ReadingPorts,
): Promise<CheckedReceipt> {
  let found = await readReceipt(listed, ports);
  let differences = compareReceipt(found);
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    if (differences.length === 0) return { differences, busy: false, found };
    const again = await readReceipt(listed, ports);
    const now = compareReceipt(again);
    const isSame = again.record?.version === found.record?.version && !isBeingWritten(again);
    const before = new Set(differences.map(keyOf));
    found = again;
    differences = now;
    if (isSame) {
      return { differences: now.filter((one) => before.has(keyOf(one))), busy: false, found };
    }
  }
  return { differences: [], busy: differences.length > 0, found };
}

/** Whether a writer who may be alive has left a mark. */
function isBeingWritten({ record, now }: FoundReceipt): boolean {
  if (record === undefined) return false;
  return deadMarks(record, '', now).length < Object.keys(record.marks).length;
}

function keyOf({ kind, key, store = '' }: Difference): string {
  return `${kind} ${key} ${store}`;
}
