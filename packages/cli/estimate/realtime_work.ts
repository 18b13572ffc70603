import { packRequests } from 'receipt-embedding/embeddings/openai';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import { compactionRunCodec, newCompactionRun } from 'receipt-embedding/entities/compaction_run';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import type { EmbeddingStatus } from 'receipt-embedding/entities/line_and_word';
import { z } from 'zod';
import type { Assumptions } from './assumptions.ts';
import { insertUnits, measureRow, readUnits } from './capacity.ts';
import type { MeasuredReceipt } from './measured_receipt.ts';

/** What the realtime path has to do, counted. */
export interface RealtimeWork {
  readonly receipts: number;
  /** Of them, those with an input that OpenAI refuses because of its length: they fail. */
  readonly refused_receipts: number;
  readonly lines: number;
  readonly words: number;
  readonly openai_requests: number;
  readonly prompt_tokens: number;
  /** Rows of the table that are written, and DynamoDB's units for it. */
  readonly rows_written: number;
  readonly write_units: number;
  readonly read_units: number;
}

/**
 * Counts what the realtime path does with each receipt that it is given: it embeds all of the receipt's lines and words that
 * are not noise and not blank, whatever their status, equal texts once.
 */
export class RealtimeCounter {
  readonly #status: EmbeddingStatus;
  readonly #assumptions: Assumptions;
  readonly #sum = {
    receipts: 0,
    refused_receipts: 0,
    lines: 0,
    words: 0,
    openai_requests: 0,
    prompt_tokens: 0,
    rows_written: 0,
    write_units: 0,
    read_units: 0,
  };

  /** @param status by which the receipts are found. */
  constructor(status: EmbeddingStatus, assumptions: Assumptions) {
    this.#status = status;
    this.#assumptions = assumptions;
  }

  get work(): RealtimeWork {
    return { ...this.#sum };
  }

  add(identity: ReceiptIdentity, receipt: MeasuredReceipt): void {
    const sum = this.#sum;
    sum.receipts++;
    sum.read_units += this.#readUnits(receipt);
    const { lines, words } = embeddingItems({ ...receipt.rows, labels: [] }, undefined, 'realtime');
    const items = [...lines, ...words];
    const inputs = [...new Set(items.map(({ input }) => input))];
    const tokens = inputs.map((input) => receipt.tokensOf(input));
    if (tokens.includes(undefined)) {
      sum.refused_receipts++;
      return;
    }
    sum.lines += lines.length;
    sum.words += words.length;
    sum.openai_requests += packRequests(inputs).length;
    sum.prompt_tokens += tokens.reduce<number>((total, count = 0) => total + count, 0);
    const changed = items.filter(({ entity }) => entity.embedding_status !== 'SUCCESS');
    sum.rows_written += changed.length + 1;
    sum.write_units += runUnits(identity);
    for (const { id, entity } of changed) {
      sum.write_units += receipt.statusChangeUnits(id, entity.embedding_status, 'SUCCESS');
    }
  }

  /** Found by its rows of a status; then its lines, words, labels, metadata and recorded runs are read. */
  #readUnits(receipt: MeasuredReceipt): number {
    const { letters_per_word, letter_bytes } = this.#assumptions;
    const letters = receipt.rows.words.length * letters_per_word * letter_bytes;
    return (
      listingUnits(receipt, this.#status) +
      receipt.textReadUnits +
      readUnits(receipt.lineBytes + receipt.wordBytes + letters) +
      readUnits(0) +
      readUnits(0, 'strong')
    );
  }
}

/** A receipt's share of listing rows by their status: pages are much larger than a receipt, so nothing is rounded up. */
export function listingUnits(receipt: MeasuredReceipt, status: EmbeddingStatus): number {
  return receipt.bytesWithStatus(status) / 4_096 / 2;
}

/** The record of a run. Every run id is as long as this one. */
function runUnits(receipt: ReceiptIdentity): number {
  const run = newCompactionRun(receipt, '00000000-0000-4000-8000-000000000000', new Date(0));
  return insertUnits(measureRow(z.encode(compactionRunCodec, run)));
}
