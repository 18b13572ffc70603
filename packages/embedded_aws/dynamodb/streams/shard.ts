import type { StreamRecord } from './stream_record.ts';

/** A record, and what whoever delivers it must know. */
export interface ShardEntry {
  readonly record: StreamRecord;
  /** Epoch milliseconds. */
  readonly time: number;
  /** A number of its row's hash key, by which the records of a shard are told apart. */
  readonly keyHash: number;
}

/** Who reads a shard: the entries from its position on are kept for it. */
export interface ShardReader {
  readonly position: number;
}

/** "Data in a stream is retained for 24 hours" (DynamoDB developer guide, Streams). */
const RETENTION_MS = 24 * 3_600_000;

/**
 * Records of a shard that are kept, and a tenth more, once its mappings have read them. Their images are the table's own rows as long as
 * those don't change, so that they need little memory. What a mapping has not read yet is kept, however much it is.
 */
export const MAX_READ_RECORDS = 50_000;

/**
 * A part of a stream: all writes of some hash keys, in their order. A position counts the entries from the stream's beginning,
 * those included that are gone.
 */
export class Shard {
  readonly id: string;
  readonly #clock: () => Date;
  readonly #listeners = new Set<() => void>();
  readonly #readers = new Set<ShardReader>();
  #entries: ShardEntry[] = [];
  #start = 0;

  constructor(id: string, clock: () => Date) {
    this.id = id;
    this.#clock = clock;
  }

  /** The position of the oldest entry that is kept, or else of the next one. */
  get start(): number {
    this.#trim();
    return this.#start;
  }

  /** The position of the next entry to come. */
  get end(): number {
    return this.#start + this.#entries.length;
  }

  append(entry: ShardEntry): void {
    this.#entries.push(entry);
    this.#trim();
    for (const listener of this.#listeners) listener();
  }

  /** @returns undefined for a position that has no entry, no more or not yet. */
  at(position: number): ShardEntry | undefined {
    return this.#entries[position - this.#start];
  }

  /** The position of the entry with this sequence number. */
  find(sequenceNumber: string): number | undefined {
    const position = this.firstAfter(sequenceNumber) - 1;
    const found = this.at(position)?.record.dynamodb.SequenceNumber === sequenceNumber;
    return found ? position : undefined;
  }

  /** The position of the first entry whose sequence number is greater. */
  firstAfter(sequenceNumber: string): number {
    let low = this.start;
    let high = this.end;
    while (low < high) {
      const middle = (low + high) >> 1;
      // All have the same length.
      const isAfter = (this.at(middle)?.record.dynamodb.SequenceNumber ?? '') > sequenceNumber;
      if (isAfter) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Calls it after each entry that comes, until what it gives is called. */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps what the reader has not read, until what it gives is called. */
  keepFor(reader: ShardReader): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  #trim(): void {
    const expired = this.#clock().getTime() - RETENTION_MS;
    let gone = 0;
    while ((this.#entries[gone]?.time ?? Infinity) <= expired) gone++;
    // A tenth at once, so that not every write moves all the others.
    if (this.#entries.length - gone > MAX_READ_RECORDS * 1.1) {
      const most = this.#entries.length - MAX_READ_RECORDS;
      const unread = Math.min(...[...this.#readers].map(({ position }) => position), Infinity);
      gone = Math.max(gone, Math.min(most, unread - this.#start));
    }
    if (gone === 0) return;
    this.#entries.splice(0, gone);
    this.#start += gone;
  }
}
