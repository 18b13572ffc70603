import type {
  ReceiptLine,
  ReceiptWord,
  ReceiptWordLabel,
} from 'receipt-embedding/entities/line_and_word';
import type { Receipt, ReceiptMetadata } from 'receipt-embedding/entities/receipt';
import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';

/** What an export file holds; as JSON text, `readReceiptExports` reads it back. */
export interface ReceiptExport {
  readonly receipts: readonly Receipt[];
  readonly receipt_lines: readonly ReceiptLine[];
  readonly receipt_words: readonly ReceiptWord[];
  readonly receipt_word_labels: readonly ReceiptWordLabel[];
  readonly receipt_metadatas: readonly ReceiptMetadata[];
}

/** One export of all these receipts. */
export function writeExport(receipts: Iterable<SyntheticReceipt>): ReceiptExport {
  const all = [...receipts];
  return {
    receipts: all.map(({ receipt }) => receipt),
    receipt_lines: all.flatMap(({ lines }) => lines),
    receipt_words: all.flatMap(({ words }) => words),
    receipt_word_labels: all.flatMap(({ labels }) => labels),
    receipt_metadatas: all.flatMap(({ metadata }) => (metadata === undefined ? [] : [metadata])),
  };
}
