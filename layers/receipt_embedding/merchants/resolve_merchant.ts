import type { Embedder } from '../embeddings/embedder.ts';
import {
  embeddingItems,
  type LineItem,
  type ReceiptText,
  type WordItem,
} from '../embeddings/embedding_items.ts';
import type { ReceiptIdentity } from '../entities/keys.ts';
import type { ReceiptMetadata } from '../entities/receipt.ts';
import type { Logger, Metrics } from '../ports.ts';

export interface Merchant {
  /** Undefined when nobody knows. */
  readonly name: string | undefined;
  readonly source: 'metadata' | MerchantSource['name'] | 'unknown';
}

interface MerchantPorts {
  /** In the order in which they are asked. */
  readonly sources: readonly MerchantSource[];
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Whose receipt it is. Never fatal: a source that fails is a warning and a metric, and the next one is
 * asked. With ReceiptMetadata, or with no source configured, no call is made.
 * @example
 * ```ts
 * await resolveMerchant(receipt, text, undefined, embedder, { sources: [new ChromaNeighbours(url)], logger, metrics });
 * // { name: 'Corner Market', source: 'chroma' }
 * ```
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

/** @returns the canonical name, else the name; undefined when both are blank. */
export function knownMerchant(metadata: ReceiptMetadata | undefined): string | undefined {
  return nonBlank(metadata?.canonical_merchant_name) ?? nonBlank(metadata?.merchant_name);
}

function nonBlank(name: string | null | undefined): string | undefined {
  const trimmed = name?.trim();
  return trimmed === undefined || trimmed === '' ? undefined : trimmed;
}

/** What a receipt says about where it is from. */
export interface MerchantEvidence extends ReceiptIdentity {
  /** Ten digits each, without repeats, in the receipt's order. */
  readonly phones: readonly string[];
  /** Normalised. */
  readonly addresses: readonly string[];
  /** The lines that carry them: the texts to look for among other receipts' lines. */
  readonly lines: readonly LineItem[];
}

/** Phones, addresses and the lines that carry them, as OCR recognised them. */
export function merchantEvidence(receipt: ReceiptIdentity, text: ReceiptText): MerchantEvidence {
  const items = embeddingItems(text, undefined, 'realtime');
  const lines = items.lines.filter(isTelling);
  const telling = [...lines, ...items.words.filter(isTelling)];
  return {
    image_id: receipt.image_id,
    receipt_id: receipt.receipt_id,
    phones: distinct(telling.map(({ metadata }) => metadata.normalized_phone_10)),
    addresses: distinct(telling.map(({ metadata }) => metadata.normalized_full_address)),
    lines,
  };
}

function isTelling({ metadata }: LineItem | WordItem): boolean {
  return (
    metadata.normalized_phone_10 !== undefined || metadata.normalized_full_address !== undefined
  );
}

function distinct(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined))];
}

/** Somewhere to ask for a merchant's name. */
export interface MerchantSource {
  readonly name: 'chroma' | 'google_places';
  /**
   * @param embedder the one that the receipt is embedded with: what it embeds here is not paid for again there.
   * @returns undefined when nothing found agrees with the evidence.
   * @throws whatever failed; the resolver goes on to the next source.
   */
  findMerchant(evidence: MerchantEvidence, embedder: Embedder): Promise<string | undefined>;
}
