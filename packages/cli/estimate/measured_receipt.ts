import { linePath, wordPath } from 'receipt-embedding/entities/keys';
import {
  type EmbeddingStatus,
  receiptLineCodec,
  receiptWordCodec,
} from 'receipt-embedding/entities/line_and_word';
import { countTokens } from 'vendor-stand-ins/openai/token_count';
import { z } from 'zod';
import { type MeasuredRow, measureRow, readUnits, statusChangeUnits } from './capacity.ts';
import type { ReceiptRows } from './receipt_source.ts';

/** OpenAI refuses a longer input (docs/data_model.md §4). */
const MOST_INPUT_TOKENS = 8_192;

interface MeasuredEntity extends MeasuredRow {
  readonly status: EmbeddingStatus;
}

/** A receipt's rows with their sizes, and its inputs with their tokens: what both paths' costs are made from. */
export class MeasuredReceipt {
  readonly rows: ReceiptRows;
  readonly lineBytes: number;
  readonly wordBytes: number;
  readonly #entities = new Map<string, MeasuredEntity>();
  readonly #tokens = new Map<string, number>();

  constructor(rows: ReceiptRows) {
    this.rows = rows;
    for (const line of rows.lines) {
      const row = measureRow(z.encode(receiptLineCodec, line));
      this.#entities.set(linePath(line), { ...row, status: line.embedding_status });
    }
    this.lineBytes = this.#bytes();
    for (const word of rows.words) {
      const row = measureRow(z.encode(receiptWordCodec, word));
      this.#entities.set(wordPath(word), { ...row, status: word.embedding_status });
    }
    this.wordBytes = this.#bytes() - this.lineBytes;
  }

  /** Read request units of reading its lines and words from their index. */
  get textReadUnits(): number {
    return readUnits(this.lineBytes) + readUnits(this.wordBytes);
  }

  /** The bytes of its rows of this status. */
  bytesWithStatus(status: EmbeddingStatus): number {
    return this.#bytes((entity) => entity.status === status);
  }

  /** @param id of the line's or word's vector. */
  statusChangeUnits(id: string, from: EmbeddingStatus, to: EmbeddingStatus): number {
    const entity = this.#entities.get(id);
    if (entity === undefined) throw new Error(`${id} is not of this receipt`);
    return statusChangeUnits(entity, entity.status, from, to);
  }

  /** @returns undefined for an input that OpenAI refuses because of its length. */
  tokensOf(input: string): number | undefined {
    let tokens = this.#tokens.get(input);
    if (tokens === undefined) {
      tokens = countTokens(input);
      this.#tokens.set(input, tokens);
    }
    return tokens > MOST_INPUT_TOKENS ? undefined : tokens;
  }

  #bytes(which: (entity: MeasuredEntity) => boolean = () => true): number {
    let sum = 0;
    for (const entity of this.#entities.values()) if (which(entity)) sum += entity.bytes;
    return sum;
  }
}
