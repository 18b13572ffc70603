import pMap from 'p-map';
import {
  embeddingItems,
  type LineItem,
  type ReceiptText,
  type WordItem,
} from '../embeddings/embedding_items.ts';
import { parsePath, receiptPath, type ReceiptIdentity } from '../entities/keys.ts';
import type { ReceiptMetadata } from '../entities/receipt_metadata.ts';
import { knownMerchant } from '../merchants/resolve_merchant.ts';
import type { Logger } from '../ports/logger.ts';
import type { PartRow } from './part_row.ts';

/** A result, and the line or word that it is of, as that is now. */
export interface MatchedResult {
  readonly row: PartRow;
  readonly item: LineItem | WordItem;
}

export type ReadReceipt = (
  receipt: ReceiptIdentity,
) => Promise<ReceiptText & { readonly metadata: ReceiptMetadata | undefined }>;

/** Receipts that are read at once. */
const CONCURRENCY = 8;
/** Keys that one log line names. */
const KEYS_SHOWN = 20;

/**
 * Brings results together with their lines and words. What is gone, has become noise, or says something else than what was
 * embedded is left out and logged.
 */
export async function matchResults(
  rows: readonly PartRow[],
  readReceipt: ReadReceipt,
  logger: Logger,
): Promise<MatchedResult[]> {
  const receipts = Map.groupBy(rows, ({ custom_id }) => pathOfReceipt(custom_id));
  const matched = await pMap(
    receipts.values(),
    async (ofReceipt) => {
      const items = await itemsOf(ofReceipt[0]?.custom_id ?? '', readReceipt);
      return ofReceipt.flatMap((row) => {
        const item = items.get(row.custom_id);
        const edited = row.text !== undefined && item?.entity.text !== row.text;
        return item === undefined || edited ? [] : [{ row, item }];
      });
    },
    { concurrency: CONCURRENCY },
  );
  const kept = matched.flat();
  if (kept.length < rows.length) {
    const ids = new Set(kept.map(({ row }) => row.custom_id));
    const left = rows.map(({ custom_id }) => custom_id).filter((id) => !ids.has(id));
    logger.warn('results are of lines or words that are gone or edited, and are left out', {
      count: left.length,
      first_keys: left.slice(0, KEYS_SHOWN),
    });
  }
  return kept;
}

async function itemsOf(
  customId: string,
  readReceipt: ReadReceipt,
): Promise<Map<string, LineItem | WordItem>> {
  const receipt = parsePath(customId);
  if (receipt === undefined) return new Map();
  const { image_id, receipt_id } = receipt;
  const contents = await readReceipt({ image_id, receipt_id });
  const { lines, words } = embeddingItems(contents, knownMerchant(contents.metadata), 'batch');
  return new Map([...lines, ...words].map((item) => [item.id, item]));
}

function pathOfReceipt(customId: string): string {
  const receipt = parsePath(customId);
  return receipt === undefined ? '' : receiptPath(receipt);
}
