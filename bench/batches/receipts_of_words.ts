import { isEmbeddable } from 'receipt-embedding/embeddings/embedding_items';
import {
  type SyntheticReceipt,
  syntheticReceipts,
} from 'receipts-cli/synthetic_receipts/synthetic_receipts';

/** Receipts that have exactly so many words to embed, all of them together; the last one is cut short for it. */
export function* receiptsOfWords(count: number): Generator<SyntheticReceipt> {
  let left = count;
  for (const receipt of syntheticReceipts({ count, seed: 1 })) {
    if (left === 0) return;
    const words = [];
    for (const word of receipt.words) {
      if (left === 0) break;
      words.push(word);
      if (isEmbeddable(word)) left--;
    }
    yield { ...receipt, words };
  }
}
