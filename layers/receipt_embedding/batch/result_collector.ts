import type { BatchType } from '../entities/batch_summary.ts';
import { parsePath } from '../entities/keys.ts';
import type { BatchEmbedding, RejectedRow } from './download_results.ts';
import type { PartRow } from './part_row.ts';
import type { VectorSpool } from './vector_spool.ts';

/** What came of a batch's requests: embedded + refused + lost = requested. */
export interface ResultCounts {
  readonly embedded: number;
  /** Their input was refused. */
  readonly refused: number;
  /** Expired, cancelled, failed at OpenAI, unreadable, or without any row. */
  readonly lost: number;
  /** Rows beyond the first of a request that has a vector already. */
  readonly doubled: number;
  /** Rows for what was not asked for. */
  readonly unknown: number;
  /** Rows of which nothing can be told. */
  readonly unreadable: number;
  readonly prompt_tokens: number;
}

/** What a batch has asked for: the vector ids in the order of its requests, with what was embedded where that is known. */
export interface RequestedEntities {
  readonly texts: Map<string, string | undefined>;
  /** Nobody knows any more what was asked for: every row of the batch's type was. */
  readonly open: boolean;
}

/**
 * Brings the rows of a batch, which come in any order, together with what was asked for. A vector counts more than a
 * refusal, and that more than an error, whichever comes first.
 */
export class ResultCollector {
  readonly #type: BatchType;
  readonly #requested: RequestedEntities;
  readonly #spool: VectorSpool;
  readonly #places = new Map<string, number>();
  readonly #refusals = new Map<string, string>();
  readonly #sum = { doubled: 0, unknown: 0, unreadable: 0, prompt_tokens: 0 };

  constructor(type: BatchType, requested: RequestedEntities, spool: VectorSpool) {
    this.#type = type;
    this.#requested = requested;
    this.#spool = spool;
  }

  add({ custom_id, embedding, prompt_tokens }: BatchEmbedding): void {
    if (!this.#wasRequested(custom_id)) return;
    if (this.#places.has(custom_id)) {
      this.#sum.doubled++;
      return;
    }
    this.#places.set(custom_id, this.#spool.add(embedding));
    this.#sum.prompt_tokens += prompt_tokens;
  }

  reject(row: RejectedRow): void {
    if (row.kind === 'unreadable') {
      this.#sum.unreadable++;
    } else if (this.#wasRequested(row.custom_id) && row.kind === 'refused') {
      this.#refusals.set(row.custom_id, row.reason);
    }
  }

  /** Everything that was asked for, once all rows are in. */
  get ids(): Iterable<string> {
    return this.#requested.texts.keys();
  }

  get counts(): ResultCounts {
    const embedded = this.#places.size;
    const refused = [...this.#refusals.keys()].filter((id) => !this.#places.has(id)).length;
    return {
      embedded,
      refused,
      lost: this.#requested.texts.size - embedded - refused,
      ...this.#sum,
    };
  }

  /** Whether OpenAI has embedded or refused it. */
  hasRow(custom_id: string): boolean {
    return this.#places.has(custom_id) || this.#refusals.has(custom_id);
  }

  /** @returns undefined when OpenAI has neither embedded nor refused it. */
  rowOf(custom_id: string): PartRow | undefined {
    const text = this.#requested.texts.get(custom_id);
    const about = { custom_id, ...(text === undefined ? {} : { text }) };
    const place = this.#places.get(custom_id);
    if (place !== undefined) return { ...about, embedding: this.#spool.read(place) };
    const refused = this.#refusals.get(custom_id);
    return refused === undefined ? undefined : { ...about, refused };
  }

  #wasRequested(customId: string): boolean {
    const { texts, open } = this.#requested;
    if (texts.has(customId)) return true;
    if (open && isOfType(customId, this.#type)) {
      texts.set(customId, undefined);
      return true;
    }
    this.#sum.unknown++;
    return false;
  }
}

/** Whether a vector id is that of a word, or of a line, as a batch of this type asks for. */
export function isOfType(customId: string, type: BatchType): boolean {
  const parts = parsePath(customId);
  if (parts?.line_id === undefined || parts.label !== undefined) return false;
  return (type === 'WORD_EMBEDDING') === (parts.word_id !== undefined);
}
