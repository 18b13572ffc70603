import type { Predicate } from './filter.ts';
import type { Metadata } from './metadata.ts';

export interface StoredVector {
  readonly key: string;
  readonly metadata: Metadata;
  /** A vector's place in the order in which keys came. */
  readonly sequence: number;
}

interface Entry extends StoredVector {
  metadata: Metadata;
  /** 1 ÷ its length, by which a dot product becomes a cosine. */
  scale: number;
}

/** How far a search has come: nearer vectors, and as near ones of a lower sequence, have been given. */
export interface Cursor {
  readonly distance: number;
  readonly sequence: number;
}

export interface Hit extends StoredVector {
  /** 1 − cosine similarity, from 0 to 2. */
  readonly distance: number;
}

export interface Search {
  readonly count: number;
  /** @default all vectors */
  readonly filter?: Predicate | undefined;
  /** @default from the nearest */
  readonly after?: Cursor | undefined;
}

/** Vectors of a block: 1.5 MiB at 1,536 dimensions. */
const BLOCK = 256;

/**
 * The vectors of one index, and the exact search among them by cosine. They lie one after the other in blocks, without
 * gaps: the last takes the place of one that is removed, and a block that is empty is given back.
 */
export class VectorIndex {
  readonly dimension: number;
  readonly #blocks: Float32Array[] = [];
  readonly #entries: Entry[] = [];
  readonly #slots = new Map<string, number>();
  #sequence = 0;

  constructor(dimension: number) {
    this.dimension = dimension;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Of memory, for the numbers. */
  get bytes(): number {
    return this.#blocks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  get(key: string): StoredVector | undefined {
    const slot = this.#slots.get(key);
    return slot === undefined ? undefined : this.#entries[slot];
  }

  /** As they were put, to the bit; undefined where there is no such vector. */
  data(key: string): Float32Array | undefined {
    const slot = this.#slots.get(key);
    return slot === undefined ? undefined : this.#at(slot);
  }

  /** In the order in which their keys came, which stays when a vector is replaced. */
  *list(): Generator<StoredVector> {
    for (const slot of this.#slots.values()) {
      const entry = this.#entries[slot];
      if (entry !== undefined) yield entry;
    }
  }

  /**
   * Stores a vector, in place of the one with the same key.
   *
   * @param data of the index's dimension, finite and not all 0; it is copied.
   */
  put(key: string, data: Float32Array, metadata: Metadata): void {
    const known = this.#slots.get(key);
    const slot = known ?? this.#entries.length;
    if (slot === this.#blocks.length * BLOCK) {
      this.#blocks.push(new Float32Array(BLOCK * this.dimension));
    }
    const scale = 1 / Math.sqrt(dot(data, 0, new Float64Array(data)));
    const entry = known === undefined ? undefined : this.#entries[known];
    if (entry === undefined) {
      this.#entries.push({ key, metadata, scale, sequence: this.#sequence++ });
      this.#slots.set(key, slot);
    } else {
      entry.metadata = metadata;
      entry.scale = scale;
    }
    this.#at(slot).set(data);
  }

  /** A key that does not exist is none to remove. */
  delete(key: string): void {
    const slot = this.#slots.get(key);
    const last = this.#entries.at(-1);
    if (slot === undefined || last === undefined) return;
    const end = this.#entries.length - 1;
    if (slot !== end) {
      this.#at(slot).set(this.#at(end));
      this.#entries[slot] = last;
      this.#slots.set(last.key, slot);
    }
    this.#entries.pop();
    this.#slots.delete(key);
    if (this.#entries.length <= (this.#blocks.length - 1) * BLOCK) this.#blocks.pop();
  }

  /**
   * The nearest vectors to `query`, nearest first; as near ones in the order in which their keys came. All that pass the
   * filter are looked at: 100,000 of 1,536 dimensions take some 0.2 seconds.
   */
  search(query: Float32Array, { count, filter, after }: Search): Hit[] {
    const nearest = new Nearest(count);
    const wide = new Float64Array(query);
    const queryScale = 1 / Math.sqrt(dot(query, 0, wide));
    for (const [slot, entry] of this.#entries.entries()) {
      if (filter !== undefined && !filter(entry.metadata)) continue;
      const block = this.#blocks[Math.floor(slot / BLOCK)];
      if (block === undefined) break;
      const cosine = dot(block, (slot % BLOCK) * this.dimension, wide) * entry.scale * queryScale;
      const distance = Math.min(2, Math.max(0, 1 - cosine));
      if (after !== undefined && !isAfter(distance, entry.sequence, after)) continue;
      nearest.offer(distance, entry);
    }
    return nearest.hits;
  }

  #at(slot: number): Float32Array {
    const offset = (slot % BLOCK) * this.dimension;
    const block = this.#blocks[Math.floor(slot / BLOCK)];
    if (block === undefined) throw new RangeError(`there is no vector ${slot}`);
    return block.subarray(offset, offset + this.dimension);
  }
}

/** The nearest of those that were offered, in their order. */
class Nearest {
  readonly hits: Hit[] = [];
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  offer(distance: number, { key, metadata, sequence }: StoredVector): void {
    const { hits } = this;
    const last = hits.at(-1);
    if (hits.length === this.#count) {
      if (last === undefined || isAfter(distance, sequence, last)) return;
      hits.pop();
    }
    let low = 0;
    let high = hits.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = hits[middle];
      if (other !== undefined && isAfter(distance, sequence, other)) low = middle + 1;
      else high = middle;
    }
    hits.splice(low, 0, { key, metadata, sequence, distance });
  }
}

function isAfter(distance: number, sequence: number, other: Cursor): boolean {
  return distance === other.distance ? sequence > other.sequence : distance > other.distance;
}

/** Four sums at a time, of which none waits for another. */
function dot(vectors: Float32Array, offset: number, query: Float64Array): number {
  const length = query.length;
  const whole = length - (length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  let at = 0;
  for (; at < whole; at += 4) {
    const from = offset + at;
    a += (vectors[from] ?? 0) * (query[at] ?? 0);
    b += (vectors[from + 1] ?? 0) * (query[at + 1] ?? 0);
    c += (vectors[from + 2] ?? 0) * (query[at + 2] ?? 0);
    d += (vectors[from + 3] ?? 0) * (query[at + 3] ?? 0);
  }
  for (; at < length; at++) a += (vectors[offset + at] ?? 0) * (query[at] ?? 0);
  return a + b + c + d;
}
