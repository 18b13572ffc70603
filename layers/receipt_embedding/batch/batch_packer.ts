import { createHash } from 'node:crypto';
import { contentId } from '../embeddings/content_id.ts';
import type { EmbeddingModel } from '../embeddings/embedder.ts';
import { tokenBound } from '../embeddings/request_packing.ts';
import type { BatchType } from '../entities/batch_summary.ts';
import { requestLine, type PlannedEntity } from './planned_entity.ts';

/** What one batch may hold. */
export interface BatchLimits {
  /** One input each, so this bounds inputs too. */
  readonly requests: number;
  /** Of the file with the requests. */
  readonly bytes: number;
  /** Counted by their upper bound. @see tokenBound */
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

/** To be raised when the same content would be asked for otherwise. */
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
      tokens: tokenBound(entity.input),
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
