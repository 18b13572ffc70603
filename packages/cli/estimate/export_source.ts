import {
  compareReceipts,
  type ReceiptIdentity,
  receiptPath,
} from 'receipt-embedding/entities/keys';
import type { ReceiptLine, ReceiptWord } from 'receipt-embedding/entities/line_and_word';
import { hasStatus, type ReceiptSource } from './receipt_source.ts';

interface StoredReceipt {
  readonly receipt: ReceiptIdentity;
  readonly lines: ReceiptLine[];
  readonly words: ReceiptWord[];
}

/** Receipts that are in memory, as a table that held them would give them. */
export function exportSource({
  lines,
  words,
}: {
  readonly lines: Iterable<ReceiptLine>;
  readonly words: Iterable<ReceiptWord>;
}): ReceiptSource {
  const receipts = new Map<string, StoredReceipt>();
  const stored = (entity: ReceiptLine | ReceiptWord): StoredReceipt => {
    const path = receiptPath(entity);
    let found = receipts.get(path);
    if (found === undefined) {
      const { image_id, receipt_id } = entity;
      found = { receipt: { image_id, receipt_id }, lines: [], words: [] };
      receipts.set(path, found);
    }
    return found;
  };
  for (const line of lines) stored(line).lines.push(line);
  for (const word of words) stored(word).words.push(word);
  const inOrder = [...receipts.values()].sort((a, b) => compareReceipts(a.receipt, b.receipt));
  return {
    receipts: function* (status) {
      for (const stored of inOrder) if (hasStatus(stored, status)) yield stored.receipt;
    },
    readRows: (receipt) =>
      Promise.resolve(receipts.get(receiptPath(receipt)) ?? { lines: [], words: [] }),
  };
}
