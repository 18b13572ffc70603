import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { BatchType, ResultCounts } from '../entities/batch.ts';
import { parsePath } from '../entities/keys.ts';
import type { PartRow } from './batch_files.ts';
import type { BatchEmbedding, RejectedRow } from './download_results.ts';

/** What a batch has asked for one line or word: its row's text, and a hash of what OpenAI got. */
export interface RequestedText {
  readonly text: string;
  readonly input_hash: string;
}

/** What a batch has asked for: the vector ids in the order of its requests, with what was embedded where that is known. */
export interface RequestedEntities {
  readonly texts: Map<string, RequestedText | undefined>;
  /** Nobody knows any more what was asked for: every row of the batch's type was. */
  readonly open: boolean;
}

/** A line or word that OpenAI refused, and nobody can tell why. */
export interface UnexplainedRefusal {
  readonly custom_id: string;
  readonly text: string | undefined;
  readonly reason: string;
}

/**
 * Brings the rows of a batch, which come in any order, together with what was asked for. A vector counts more than a
 * refusal, and that more than an error, whichever comes first.
 * @example
 * ```ts
 * const collector = new ResultCollector('WORD_EMBEDDING', requested, spool);
 * for await (const row of downloadOpenaiBatchResult(client, files, { dimensions, onRejected })) collector.add(row);
 * collector.counts; // { embedded: 3, refused: 1, lost: 0, doubled: 0, unknown: 0, unreadable: 0, prompt_tokens: 40 }
 * ```
 */
export class ResultCollector {
  readonly #type: BatchType;
  readonly #requested: RequestedEntities;
  readonly #spool: VectorSpool;
  readonly #places = new Map<string, number>();
  readonly #refusals = new Map<string, string>();
  readonly #reasons = new Map<string, string>();
  readonly #unexplained = new Set<string>();
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
    } else if (this.#wasRequested(row.custom_id)) {
      if (row.kind === 'refused') this.#refusals.set(row.custom_id, row.reason);
      else this.#reasons.set(row.custom_id, row.reason);
      if (row.kind === 'unexplained') this.#unexplained.add(row.custom_id);
    }
  }

  /** Blames an input for the refusal that nothing explained: it counts as refused from now on. */
  blame(custom_id: string, reason: string): void {
    this.#refusals.set(custom_id, reason);
  }

  /** Once all rows are in: what was refused without anybody to blame, with what was embedded where that is known. */
  get unexplained(): readonly UnexplainedRefusal[] {
    return [...this.#unexplained]
      .filter((id) => !this.hasRow(id))
      .map((custom_id) => ({
        custom_id,
        text: this.#requested.texts.get(custom_id)?.text,
        reason: this.#reasons.get(custom_id) ?? '',
      }));
  }

  /** Why rows have brought neither a vector nor a refusal, and how many for each reason, the commonest first. */
  get whyLost(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const [id, reason] of this.#reasons) {
      if (!this.hasRow(id)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    return new Map([...counts].sort(([, a], [, b]) => b - a));
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
    const about = { custom_id, ...this.#requested.texts.get(custom_id) };
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

/** Whether a vector id names a word, or a line, as a batch of this type embeds. */
export function isOfType(customId: string, type: BatchType): boolean {
  const parts = parsePath(customId);
  if (parts?.line_id === undefined || parts.label !== undefined) return false;
  return (type === 'WORD_EMBEDDING') === (parts.word_id !== undefined);
}

/** Written to disk in pieces of about this size. */
const PIECE_BYTES = 1_000_000;

/** Vectors on disk, in the order in which they came, to be read in another one. */
export class VectorSpool {
  readonly #file: number;
  readonly #vectorBytes: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #count = 0;

  /** @param path of a file that does not exist yet. */
  constructor(path: string, dimensions: number) {
    this.#file = openSync(path, 'wx+');
    this.#vectorBytes = dimensions * Float32Array.BYTES_PER_ELEMENT;
  }

  /** @returns the vector's place. */
  add(vector: Float32Array): number {
    this.#pending.push(Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength));
    this.#pendingBytes += vector.byteLength;
    if (this.#pendingBytes >= PIECE_BYTES) this.#flush();
    return this.#count++;
  }

  /**
   * The vector at a place, as base64 of little-endian float32.
   *
   * @throws RangeError when no vector has that place.
   */
  read(place: number): string {
    this.#flush();
    const bytes = Buffer.allocUnsafe(this.#vectorBytes);
    for (let at = 0; at < bytes.length;) {
      const position = place * this.#vectorBytes + at;
      const read = readSync(this.#file, bytes, at, bytes.length - at, position);
      if (read === 0) throw new RangeError(`no vector ${place} exists: the file ends before it`);
      at += read;
    }
    return bytes.toString('base64');
  }

  close(): void {
    closeSync(this.#file);
  }

  #flush(): void {
    if (this.#pendingBytes === 0) return;
    const piece = Buffer.concat(this.#pending);
    for (let at = 0; at < piece.length;) at += writeSync(this.#file, piece, at);
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}

/** Of 1,536 dimensions some 8 MB. */
export const PART_SIZE = 1_000;

/**
 * Splits vector ids, in their order, into parts of at most `size`, whole receipts where they fit into one: each receipt is
 * read once for all of its vectors.
 * @example
 * ```ts
 * partition(['IMAGE#a#RECEIPT#00001#LINE#00001', 'IMAGE#a#RECEIPT#00002#LINE#00001'], 1).length; // 2
 * ```
 */
export function partition(ids: Iterable<string>, size: number = PART_SIZE): string[][] {
  const parts: string[][] = [];
  let part: string[] = [];
  const end = (): void => {
    if (part.length > 0) parts.push(part);
    part = [];
  };
  for (const receipt of byReceipt(ids)) {
    if (part.length + receipt.length > size) end();
    for (let at = 0; at < receipt.length; at += size) {
      if (part.length > 0 && at > 0) end();
      part.push(...receipt.slice(at, at + size));
    }
  }
  end();
  return parts;
}

function* byReceipt(ids: Iterable<string>): Generator<string[]> {
  let current: string | undefined;
  let receipt: string[] = [];
  for (const id of ids) {
    const path = id.slice(0, id.indexOf('#LINE#'));
    if (path !== current && receipt.length > 0) {
      yield receipt;
      receipt = [];
    }
    current = path;
    receipt.push(id);
  }
  if (receipt.length > 0) yield receipt;
}
