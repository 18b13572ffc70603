import { linePath, wordPath } from 'receipt-embedding/entities/keys';
import {
  type EmbeddingStatus,
  receiptLineCodec,
  receiptWordCodec,
} from 'receipt-embedding/entities/line_and_word';
import { countTokens } from 'vendor-stand-ins/openai/token_count';
import { z } from 'zod';
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

/** Write request units for a row of so many bytes: one for each 1 KB, begun ones too. */
export function writeUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 1_024));
}

/** Read request units for what one query reads: one for each 4 KB, half of that where it is eventually consistent. */
export function readUnits(bytes: number, consistency: 'eventual' | 'strong' = 'eventual'): number {
  return Math.max(1, Math.ceil(bytes / 4_096)) * (consistency === 'strong' ? 1 : 0.5);
}

/** The table's indexes, by their hashes; each has a copy of every row that has its hash (components/receipt_table.ts). */
const INDEX_HASHES = ['GSI1PK', 'GSI2PK', 'GSI3PK', 'TYPE'];

/** A row, as far as it matters to what writing it costs. */
interface MeasuredRow {
  readonly bytes: number;
  /** In how many indexes it is. */
  readonly copies: number;
}

/** @param row as its codec gives it. */
export function measureRow(row: Readonly<Record<string, unknown>>): MeasuredRow {
  return {
    bytes: rowBytes(row),
    copies: INDEX_HASHES.filter((hash) => row[hash] !== undefined).length,
  };
}

/** Write request units of a new row, its copies included. */
export function insertUnits({ bytes, copies }: MeasuredRow): number {
  return writeUnits(bytes) * (1 + copies);
}

/** The attribute that says which batch has claimed a line or word: its name, and a UUID. */
const CLAIM_BYTES = 'embedding_batch_id'.length + 36;

/** How many bytes a row has with another status, which is in it twice: as itself and as the hash of GSI1. */
function bytesWith({ bytes }: MeasuredRow, from: EmbeddingStatus, to: EmbeddingStatus): number {
  // PENDING and claimed are one here: only batches claim.
  return bytes + 2 * (to.length - from.length) + (to === 'PENDING' ? CLAIM_BYTES : 0);
}

/**
 * Write request units of changing the status of a line or word: the row and its copies, each by the larger of its sizes before
 * and after. In GSI1 the copy goes from one place to another, which is two writes.
 *
 * @param row as it is with the status `measured`, claimed by nobody.
 */
export function statusChangeUnits(
  row: MeasuredRow,
  measured: EmbeddingStatus,
  from: EmbeddingStatus,
  to: EmbeddingStatus,
): number {
  const before = writeUnits(bytesWith(row, measured, from));
  const after = writeUnits(bytesWith(row, measured, to));
  return Math.max(before, after) * row.copies + before + after;
}

/**
 * How many bytes a row takes in DynamoDB, by which reads and writes are billed ("Item sizes and formats" in DynamoDB's guide):
 * names and texts as UTF-8, a number a byte for two digits and one more, a map or list three bytes and one for each member.
 *
 * @param row as an entity's codec gives it.
 */
export function rowBytes(row: Readonly<Record<string, unknown>>): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(row)) {
    if (value !== undefined) bytes += Buffer.byteLength(name) + valueBytes(value);
  }
  return bytes;
}

const CONTAINER = 3;

function valueBytes(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return Buffer.byteLength(value);
    case 'number':
      return numberBytes(value);
    case 'object':
      return value === null ? 1 : containerBytes(value);
    default:
      return 1;
  }
}

function containerBytes(value: object): number {
  if (value instanceof Set) return sum([...value].map(valueBytes));
  const members = Object.keys(value).length;
  return (
    CONTAINER +
    members +
    (Array.isArray(value) ? sum(value.map(valueBytes)) : rowBytes(value as Record<string, unknown>))
  );
}

/** Zeros at either end take no room. */
function numberBytes(value: number): number {
  const [mantissa = ''] = Math.abs(value).toExponential().split('e');
  const digits = mantissa === '0' ? 0 : mantissa.replace('.', '').length;
  return 1 + Math.ceil(digits / 2);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
