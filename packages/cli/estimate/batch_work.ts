import { partition } from 'receipt-embedding/batches/collect_results';
import {
  BatchPacker,
  entitiesToDo,
  OPENAI_BATCH_LIMITS,
  type PackedBatch,
} from 'receipt-embedding/batches/plan_batches';
import type { EmbeddingModel } from 'receipt-embedding/embeddings/embedder';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import { type BatchType, embeddingBatchResultCodec } from 'receipt-embedding/entities/batch';
import { pineconeMetadata } from 'receipt-embedding/stores/pinecone/pinecone_packing';
import { z } from 'zod';
import type { Assumptions } from './assumptions.ts';
import { insertUnits, measureRow, readUnits } from './capacity.ts';
import type { MeasuredReceipt } from './measured_receipt.ts';
import { listingUnits } from './realtime_work.ts';

/** What the batch path has to do, counted. */
export interface BatchWork {
  /** With a line or word to embed. */
  readonly receipts: number;
  readonly lines: number;
  readonly words: number;
  /** Lines and words whose input OpenAI refuses because of its length: they fail. */
  readonly refused_inputs: number;
  readonly batches: number;
  /** The parts that the batches' results are ingested in. */
  readonly parts: number;
  readonly prompt_tokens: number;
  /** Rows of the table that are written for lines and words, and DynamoDB's units for it. */
  readonly rows_written: number;
  readonly write_units: number;
  readonly read_units: number;
  /** What Pinecone is given: vectors, ids and metadata. */
  readonly pinecone_bytes: number;
}

export interface BatchSettings {
  readonly types: readonly BatchType[];
  readonly model: EmbeddingModel;
  /** What a batch may hold of tokens, by their upper bound. */
  readonly batchMaxTokens: number;
}

/**
 * Counts what the batch path does with each receipt that it is given, in their order: it embeds the lines and words with the
 * status NONE that are not noise and not blank, one request each, packed into batches.
 */
export class BatchCounter {
  readonly #settings: BatchSettings;
  readonly #assumptions: Assumptions;
  readonly #packers: readonly { readonly type: BatchType; readonly packer: BatchPacker }[];
  readonly #sum = {
    receipts: 0,
    lines: 0,
    words: 0,
    refused_inputs: 0,
    batches: 0,
    parts: 0,
    prompt_tokens: 0,
    rows_written: 0,
    write_units: 0,
    read_units: 0,
    pinecone_bytes: 0,
  };

  constructor(settings: BatchSettings, assumptions: Assumptions) {
    this.#settings = settings;
    this.#assumptions = assumptions;
    const limits = { ...OPENAI_BATCH_LIMITS, tokens: settings.batchMaxTokens };
    this.#packers = settings.types.map((type) => ({
      type,
      packer: new BatchPacker(type, settings.model, limits),
    }));
  }

  add(receipt: MeasuredReceipt): void {
    const sum = this.#sum;
    // Whatever is to do of it, planning reads it.
    sum.read_units += listingUnits(receipt, 'NONE') + receipt.textReadUnits;
    const wanted = entitiesToDo(receipt.rows);
    const types = this.#settings.types.filter((type) => wanted[type].length > 0);
    if (types.length === 0) return;
    sum.receipts++;
    for (const type of types) {
      sum[type === 'LINE_EMBEDDING' ? 'lines' : 'words'] += wanted[type].length;
      sum.read_units += this.#ingestionReadUnits(receipt);
      for (const { custom_id, input } of wanted[type]) {
        const tokens = receipt.tokensOf(input);
        if (tokens === undefined) sum.refused_inputs++;
        else sum.prompt_tokens += tokens;
        this.#addSettling(receipt, custom_id, tokens !== undefined);
      }
    }
    this.#addItems(
      receipt,
      new Set(types.flatMap((type) => wanted[type].map((one) => one.custom_id))),
    );
    for (const { type, packer } of this.#packers) this.#addBatches(packer.add(wanted[type]));
  }

  /** @returns the sums, once all receipts were added. */
  end(): BatchWork {
    for (const { packer } of this.#packers) this.#addBatches(packer.end());
    return { ...this.#sum };
  }

  #addBatches(batches: readonly PackedBatch[]): void {
    for (const { entities } of batches) {
      this.#sum.batches++;
      this.#sum.parts += partition(entities.map(({ custom_id }) => custom_id)).length;
    }
  }

  /** Claimed, then settled. */
  #addSettling(receipt: MeasuredReceipt, id: string, embedded: boolean): void {
    this.#sum.rows_written += 2;
    this.#sum.write_units +=
      receipt.statusChangeUnits(id, 'NONE', 'PENDING') +
      receipt.statusChangeUnits(id, 'PENDING', embedded ? 'SUCCESS' : 'FAILED');
  }

  /** The vectors and the result rows. */
  #addItems(receipt: MeasuredReceipt, wanted: ReadonlySet<string>): void {
    const { lines, words } = embeddingItems({ ...receipt.rows, labels: [] }, undefined, 'batch');
    for (const { id, entity, metadata } of [...lines, ...words]) {
      if (!wanted.has(id)) continue;
      this.#sum.pinecone_bytes +=
        4 * this.#settings.model.dimensions +
        Buffer.byteLength(id) +
        Buffer.byteLength(JSON.stringify(pineconeMetadata(metadata)));
      const result = measureRow(
        z.encode(embeddingBatchResultCodec, {
          // As long as any.
          batch_id: '00000000-0000-4000-8000-000000000000',
          image_id: entity.image_id,
          pinecone_id: id,
          text: entity.text,
          status: 'SUCCESS',
          error_message: null,
        }),
      );
      this.#sum.rows_written++;
      this.#sum.write_units += insertUnits(result);
      // The end of a batch reads them all, consistently.
      this.#sum.read_units += result.bytes / 4_096;
    }
  }

  /** For its vectors with labels and metadata, for its results with its texts alone. */
  #ingestionReadUnits(receipt: MeasuredReceipt): number {
    const { letters_per_word, letter_bytes } = this.#assumptions;
    const letters = receipt.rows.words.length * letters_per_word * letter_bytes;
    return (
      2 * receipt.textReadUnits +
      readUnits(receipt.lineBytes + receipt.wordBytes + letters) +
      readUnits(0)
    );
  }
}
