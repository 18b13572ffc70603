import { createHash } from 'node:crypto';
import { contentId, repeatedId } from '../embeddings/content_id.ts';
import type { EmbeddingModel } from '../embeddings/embedder.ts';
import { embeddingItems, type ReceiptText } from '../embeddings/embedding_items.ts';
import { type BatchStatus, type BatchType, isEnded } from '../entities/batch.ts';
import type { ReceiptIdentity } from '../entities/keys.ts';
import { countTokens } from '../embeddings/token_count.ts';
import type { ReceiptLine, ReceiptWord } from '../entities/line_and_word.ts';
import { type PlannedEntity, requestLine } from './batch_files.ts';
import { iterateSettled } from '../settled_map.ts';

export interface PlanSettings {
  readonly types: readonly BatchType[];
  readonly model: EmbeddingModel;
  readonly limits: BatchLimits;
  /** At most so many receipts that have something to embed. */
  readonly mostReceipts: number | undefined;
}

export interface PlanPorts {
  /** In an order that is always the same, so that planning twice plans the same. */
  readonly receipts: AsyncIterable<ReceiptIdentity>;
  readonly readText: (receipt: ReceiptIdentity) => Promise<Omit<ReceiptText, 'labels'>>;
}

export interface PlannedReceipts {
  receipts: number;
  /** Whether `mostReceipts` left any out. */
  more: boolean;
}

/** Reads several receipts at a time, and few ahead. */
const READING = { atOnce: 16, ahead: 64 } as const;

/**
 * Packs all lines and words that are to do into batches, one after the other: only those that are being packed are in memory.
 *
 * @param planned counts what went in.
 * @example
 * ```ts
 * const planned = { receipts: 0, more: false };
 * for await (const { content_id, batch_type, entities } of planBatches(settings, ports, planned)) …
 * planned; // { receipts: 1200, more: false }
 * ```
 */
export async function* planBatches(
  { types, model, limits, mostReceipts = Infinity }: PlanSettings,
  { receipts, readText }: PlanPorts,
  planned: PlannedReceipts,
): AsyncGenerator<PackedBatch> {
  const packers = types.map((type) => ({ type, packer: new BatchPacker(type, model, limits) }));
  const texts = iterateSettled(receipts, readText, READING);
  for await (const text of texts) {
    const wanted = entitiesToDo(text);
    if (types.every((type) => wanted[type].length === 0)) continue;
    if (planned.receipts === mostReceipts) {
      planned.more = true;
      break;
    }
    planned.receipts++;
    for (const { type, packer } of packers) yield* packer.add(wanted[type]);
  }
  for (const { packer } of packers) yield* packer.end();
}

/** The lines and words of a receipt that have the status NONE, by the type of their batch; noise and blanks are never embedded. */
export function entitiesToDo(
  text: Omit<ReceiptText, 'labels'>,
): Record<BatchType, PlannedEntity[]> {
  const { lines, words } = embeddingItems({ ...text, labels: [] }, undefined, 'batch');
  return { LINE_EMBEDDING: wanted(lines), WORD_EMBEDDING: wanted(words) };
}

function wanted(
  items: readonly {
    readonly id: string;
    readonly entity: ReceiptLine | ReceiptWord;
    readonly input: string;
  }[],
): PlannedEntity[] {
  return items
    .filter(({ entity }) => entity.embedding_status === 'NONE')
    .map(({ id, entity: { text, status_missing }, input }) => ({
      custom_id: id,
      text,
      input,
      ...(status_missing === undefined ? {} : { status_missing }),
    }));
}

/**
 * The id under which a content is submitted: its own or, where a batch of that id has ended already without embedding all of
 * it, the next one. A batch that has not ended keeps its id: whoever submits it finds its record.
 * @example
 * ```ts
 * await batchIdOf('0b6a…-1111', statusOf); // '0b6a…-1111', or '0b6a…-9f3c' where that batch has ended
 * ```
 */
export async function batchIdOf(
  contentId: string,
  statusOf: (batchId: string) => Promise<BatchStatus | undefined>,
): Promise<string> {
  let id = contentId;
  for (let earlier = 1; ; earlier++) {
    const status = await statusOf(id);
    if (status === undefined || !isEnded(status)) return id;
    id = repeatedId(contentId, `after ${earlier} batches`);
  }
}

/** What one batch may hold. */
export interface BatchLimits {
  /** One input each, so this bounds inputs too. */
  readonly requests: number;
  /** Of the file with the requests. */
  readonly bytes: number;
  /** Of all inputs. @see countTokens */
  readonly tokens: number;
}

/** OpenAI's limits (docs/data_model.md §4), with room left below its 200 MB; those of tokens are an account's own. */
export const OPENAI_BATCH_LIMITS = { requests: 50_000, bytes: 190_000_000 } as const;

/** A batch that is to be submitted. */
export interface PackedBatch {
  /** From the content: the same lines or words with the same inputs have the same id. */
  readonly content_id: string;
  readonly batch_type: BatchType;
  readonly entities: readonly PlannedEntity[];
}

/** Raise it when the same content is asked for in another form. */
const FORMAT_VERSION = 1;

interface Sized {
  readonly entity: PlannedEntity;
  readonly bytes: number;
  readonly tokens: number;
}

/**
 * Packs receipts, in their order, into batches of one type. A receipt is never split, unless it is over a limit by
 * itself; an input that alone is over a limit goes by itself, and OpenAI judges.
 */
export class BatchPacker {
  readonly #type: BatchType;
  readonly #model: EmbeddingModel;
  readonly #limits: BatchLimits;
  #entities: PlannedEntity[] = [];
  #bytes = 0;
  #tokens = 0;

  constructor(type: BatchType, model: EmbeddingModel, limits: BatchLimits) {
    this.#type = type;
    this.#model = model;
    this.#limits = limits;
  }

  /** Adds what is to be embedded of one receipt. @returns the batches that are full by now. */
  add(receipt: readonly PlannedEntity[]): PackedBatch[] {
    const sized = receipt.map((entity) => this.#size(entity));
    const full: PackedBatch[] = [];
    if (!this.#hasRoom(sized)) full.push(...this.end());
    for (const one of sized) {
      // Only a receipt that is over a limit by itself comes to this.
      if (!this.#hasRoom([one])) full.push(...this.end());
      this.#entities.push(one.entity);
      this.#bytes += one.bytes;
      this.#tokens += one.tokens;
    }
    return full;
  }

  /** @returns the batch that is not full yet; none when it is empty. */
  end(): PackedBatch[] {
    if (this.#entities.length === 0) return [];
    const entities = this.#entities;
    this.#entities = [];
    this.#bytes = 0;
    this.#tokens = 0;
    return [{ content_id: this.#contentId(entities), batch_type: this.#type, entities }];
  }

  #size(entity: PlannedEntity): Sized {
    return {
      entity,
      bytes: Buffer.byteLength(requestLine(entity, this.#model)) + 1,
      tokens: countTokens(entity.input),
    };
  }

  #hasRoom(sized: readonly Sized[]): boolean {
    const sum = (of: (one: Sized) => number): number =>
      sized.reduce((total, one) => total + of(one), 0);
    return (
      this.#entities.length + sized.length <= this.#limits.requests &&
      this.#bytes + sum(({ bytes }) => bytes) <= this.#limits.bytes &&
      this.#tokens + sum(({ tokens }) => tokens) <= this.#limits.tokens
    );
  }

  #contentId(entities: readonly PlannedEntity[]): string {
    const { model, dimensions } = this.#model;
    const hash = createHash('sha256');
    hash.update(JSON.stringify([FORMAT_VERSION, model, dimensions, this.#type]));
    for (const { custom_id, input } of entities) hash.update(JSON.stringify([custom_id, input]));
    return contentId(hash);
  }
}
