import type { ReceiptIdentity } from '../entities/keys.ts';
import { embeddingItems, type LineItem, type ReceiptText } from '../embeddings/embedding_items.ts';

/** What a receipt says about where it is from. */
export interface MerchantEvidence extends ReceiptIdentity {
  /** Ten digits each, without repeats, in the receipt's order. */
  readonly phones: readonly string[];
  /** Normalised. */
  readonly addresses: readonly string[];
  /** The lines that carry them: the texts to look for among other receipts' lines. */
  readonly lines: readonly LineItem[];
}

export function merchantEvidence(receipt: ReceiptIdentity, text: ReceiptText): MerchantEvidence {
  const items = embeddingItems(text, undefined, 'realtime');
  const telling = [...items.lines, ...items.words].filter(
    ({ metadata }) =>
      metadata.normalized_phone_10 !== undefined || metadata.normalized_full_address !== undefined,
  );
  return {
    image_id: receipt.image_id,
    receipt_id: receipt.receipt_id,
    phones: distinct(telling.map(({ metadata }) => metadata.normalized_phone_10)),
    addresses: distinct(telling.map(({ metadata }) => metadata.normalized_full_address)),
    lines: items.lines.filter((line) => telling.includes(line)),
  };
}

function distinct(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined))];
}
