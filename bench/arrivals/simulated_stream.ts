import type { changedReceipts } from 'receipt-embedding/arrivals/changed_receipts';
import { STREAM_READING } from '../../components/arrival_reading.ts';
import type { SimulatedClock } from './simulated_clock.ts';

/** A record of the table's stream, as the function gets it. */
export interface SimulatedRecord {
  readonly record: Parameters<typeof changedReceipts>[0][number];
  /** As JSON. */
  readonly bytes: number;
  /** Whether an execution has written it, not a user. */
  readonly own: boolean;
}

/** Lambda polls each shard four times a second (Lambda's guide, "Polling and batching streams"). */
const POLL_SECONDS = 0.25;
/** What one GetRecords gives (API reference of DynamoDB Streams). */
const POLLED = { records: 1_000, bytes: 1_048_576 };
/** Lambda's limit of an event. */
const EVENT_BYTES = 6_291_456;

/**
 * The table's stream and Lambda's poller of each shard: it gathers records until a batch is full or its window is over, invokes the
 * function, and waits for it. Records that the mapping's filter leaves out are not simulated: they invoke nothing, and nobody pays for
 * them.
 */
export class SimulatedStream {
  readonly #shards: readonly Shard[];

  constructor(
    clock: SimulatedClock,
    shards: number,
    invoke: (records: readonly SimulatedRecord[]) => Promise<void>,
  ) {
    this.#shards = Array.from({ length: shards }, () => new Shard(clock, invoke));
  }

  /** @param partition rows of the same one are always in the same shard. */
  append(partition: number, record: SimulatedRecord): void {
    this.#shards[partition % this.#shards.length]?.append(record);
  }
}

class Shard {
  readonly #clock: SimulatedClock;
  readonly #invoke: (records: readonly SimulatedRecord[]) => Promise<void>;
  #unread: SimulatedRecord[] = [];
  #gathered: SimulatedRecord[] = [];
  #windowEnds = 0;
  /** A poll is to come, or the function is at work. */
  #busy = false;

  constructor(
    clock: SimulatedClock,
    invoke: (records: readonly SimulatedRecord[]) => Promise<void>,
  ) {
    this.#clock = clock;
    this.#invoke = invoke;
  }

  append(record: SimulatedRecord): void {
    this.#unread.push(record);
    if (!this.#busy) this.#pollNext();
  }

  #pollNext(): void {
    this.#busy = true;
    const ticks = Math.floor(this.#clock.now / POLL_SECONDS) + 1;
    this.#clock.at(ticks * POLL_SECONDS, () => {
      this.#poll();
    });
  }

  #poll(): void {
    if (this.#gathered.length === 0) {
      this.#windowEnds = this.#clock.now + STREAM_READING.maximumBatchingWindowInSeconds;
    }
    this.#gathered.push(...take(this.#unread, POLLED));
    const limits = { records: STREAM_READING.batchSize, bytes: EVENT_BYTES };
    const isFull = fitting(this.#gathered, limits) < this.#gathered.length;
    if (isFull || this.#gathered.length >= limits.records || this.#clock.now >= this.#windowEnds) {
      const batch = take(this.#gathered, limits);
      this.#clock.begin(async () => {
        await this.#invoke(batch);
        this.#windowEnds = this.#clock.now + STREAM_READING.maximumBatchingWindowInSeconds;
        this.#goOn();
      });
    } else {
      this.#goOn();
    }
  }

  #goOn(): void {
    if (this.#unread.length + this.#gathered.length > 0) this.#pollNext();
    else this.#busy = false;
  }
}

interface Limits {
  readonly records: number;
  readonly bytes: number;
}

function take(records: SimulatedRecord[], limits: Limits): SimulatedRecord[] {
  return records.splice(0, fitting(records, limits));
}

/** How many of the first records fit. */
function fitting(records: readonly SimulatedRecord[], limits: Limits): number {
  let bytes = 0;
  for (const [at, record] of records.entries()) {
    bytes += record.bytes;
    if (at >= limits.records || bytes > limits.bytes) return at;
  }
  return records.length;
}
