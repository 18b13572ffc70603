import { isEmbeddable } from 'receipt-embedding/embeddings/embedding_items';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import type {
  EmbeddingStatus,
  ReceiptLine,
  ReceiptWord,
} from 'receipt-embedding/entities/line_and_word';

/** What is embedded of a receipt: its lines and words. */
export interface ReceiptRows {
  readonly lines: readonly ReceiptLine[];
  readonly words: readonly ReceiptWord[];
}

/** Where the receipts of an estimate are. */
export interface ReceiptSource {
  /**
   * The receipts with at least one line or word of this status that is not noise, and not blank, each once, in the order that the
   * workflows take them in.
   */
  readonly receipts: (
    status: EmbeddingStatus,
  ) => AsyncIterable<ReceiptIdentity> | Iterable<ReceiptIdentity>;
  readonly readRows: (receipt: ReceiptIdentity) => Promise<ReceiptRows>;
}

/** Whether a receipt has anything of this status that is not noise, and not blank. */
export function hasStatus({ lines, words }: ReceiptRows, status: EmbeddingStatus): boolean {
  const isWanted = (entity: ReceiptLine | ReceiptWord): boolean =>
    entity.embedding_status === status && isEmbeddable(entity);
  return lines.some(isWanted) || words.some(isWanted);
}
