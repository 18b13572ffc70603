import type { ReceiptIdentity } from '../entities/keys.ts';
import type { ReceiptMetadata } from '../entities/receipt_metadata.ts';
import type { Embedder } from '../embeddings/embedder.ts';
import type { ReceiptText } from '../embeddings/embedding_items.ts';
import type { Logger } from '../ports/logger.ts';
import type { Metrics } from '../ports/metrics.ts';
import { merchantEvidence } from './merchant_evidence.ts';
import type { MerchantSource } from './merchant_source.ts';

export interface Merchant {
  /** Undefined when nobody knows. */
  readonly name: string | undefined;
  readonly source: 'metadata' | MerchantSource['name'] | 'unknown';
}

export interface MerchantPorts {
  /** In the order in which they are asked. */
  readonly sources: readonly MerchantSource[];
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Whose receipt it is. Never fatal: a source that fails is a warning and a metric, and the next one is
 * asked. With ReceiptMetadata, or with no source configured, there is no call at all.
 */
export async function resolveMerchant(
  receipt: ReceiptIdentity,
  text: ReceiptText,
  metadata: ReceiptMetadata | undefined,
  embedder: Embedder,
  { sources, logger, metrics }: MerchantPorts,
): Promise<Merchant> {
  const known = knownMerchant(metadata);
  if (known !== undefined) return { name: known, source: 'metadata' };
  if (sources.length === 0) return { name: undefined, source: 'unknown' };
  const evidence = merchantEvidence(receipt, text);
  if (evidence.phones.length === 0 && evidence.addresses.length === 0) {
    return { name: undefined, source: 'unknown' };
  }
  for (const source of sources) {
    try {
      const name = nonBlank(await source.findMerchant(evidence, embedder));
      if (name !== undefined) return { name, source: source.name };
    } catch (error) {
      metrics.count('MerchantLookupsFailed', 1);
      logger.warn('a merchant lookup failed; the receipt goes on without it', {
        source: source.name,
        image_id: receipt.image_id,
        receipt_id: receipt.receipt_id,
        error: error instanceof Error ? error.name : typeof error,
        reason: error instanceof Error ? error.message : undefined,
      });
    }
  }
  return { name: undefined, source: 'unknown' };
}

/** The canonical name if there is one, else the name; undefined when neither says anything. */
export function knownMerchant(metadata: ReceiptMetadata | undefined): string | undefined {
  return nonBlank(metadata?.canonical_merchant_name) ?? nonBlank(metadata?.merchant_name);
}

function nonBlank(name: string | null | undefined): string | undefined {
  const trimmed = name?.trim();
  return trimmed === undefined || trimmed === '' ? undefined : trimmed;
}
