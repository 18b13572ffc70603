import { isEmbeddable } from 'receipt-embedding/embeddings/embedding_items';
import type { ReceiptLine, ReceiptWord } from 'receipt-embedding/entities/line_and_word';
import type { ReceiptRows } from './receipt_source.ts';

/** Lines, or words, by what is to become of them. */
export interface EntityCounts {
  total: number;
  /** NONE. */
  to_embed: number;
  /** PENDING. */
  claimed: number;
  /** SUCCESS. */
  embedded: number;
  /** FAILED. */
  failed: number;
  /** Never embedded, whatever their status. */
  noise: number;
  blank: number;
}

/** What the receipts of an estimate hold. */
export class ReceiptCounts {
  receipts = 0;
  readonly lines = noEntities();
  readonly words = noEntities();

  add({ lines, words }: ReceiptRows): void {
    this.receipts++;
    for (const line of lines) count(this.lines, line);
    for (const word of words) count(this.words, word);
  }
}

function noEntities(): EntityCounts {
  return { total: 0, to_embed: 0, claimed: 0, embedded: 0, failed: 0, noise: 0, blank: 0 };
}

const BY_STATUS = {
  NONE: 'to_embed',
  PENDING: 'claimed',
  SUCCESS: 'embedded',
  FAILED: 'failed',
  NOISE: 'noise',
} as const;

function count(counts: EntityCounts, entity: ReceiptLine | ReceiptWord): void {
  counts.total++;
  if (isEmbeddable(entity)) counts[BY_STATUS[entity.embedding_status]]++;
  else counts[entity.is_noise || entity.embedding_status === 'NOISE' ? 'noise' : 'blank']++;
}
