import { Pause } from '../aws/time.ts';
import type { Shard, ShardEntry, ShardReader } from '../dynamodb/streams/shard.ts';
import {
  backoff,
  deliver,
  type DeliveryPorts,
  type DeliveryTarget,
  MAX_BATCH_BYTES,
} from './delivery.ts';
import type { Condition } from './discarded_batch.ts';

export interface LanePorts extends DeliveryPorts {
  /** Takes a batch over that is given up. */
  readonly discard: (
    entries: readonly ShardEntry[],
    shard: Shard,
    condition: Condition,
    invocations: number,
  ) => void;
  /** Hears when nothing is left. */
  readonly onProgress: () => void;
}

/** A record, and where it is. */
interface Located {
  readonly position: number;
  readonly entry: ShardEntry;
}

interface Batch {
  readonly located: readonly Located[];
  /** Where to read on after it: behind those records too that the filter has left out. */
  readonly end: number;
}

/** "Lambda polls shards in your DynamoDB stream for records at a base rate of 4 times per second." */
const POLL_MS = 250;

/**
 * One batch at a time of a shard, in its order; with a parallelization factor, of those hash keys that are this lane's. It
 * sleeps until a record comes.
 */
export class StreamLane implements ShardReader {
  readonly #shard: Shard;
  readonly #isMine: (entry: ShardEntry) => boolean;
  readonly #target: DeliveryTarget;
  readonly #ports: LanePorts;
  readonly #pause: Pause;
  /** Where a fault wants it to read on. */
  #rewindTo: number | undefined;
  #position: number;
  #running = false;
  #stopped = true;
  #release: (() => void)[] = [];

  /** @param lane which one of the mapping's parallelization factor. */
  constructor(shard: Shard, lane: number, target: DeliveryTarget, ports: LanePorts) {
    const { parallelizationFactor, startingPosition } = target.mapping;
    this.#shard = shard;
    this.#isMine = ({ keyHash }) => keyHash % parallelizationFactor === lane;
    this.#target = target;
    this.#ports = ports;
    this.#pause = new Pause(ports.after);
    this.#position = startingPosition === 'LATEST' ? shard.end : shard.start;
  }

  /** Of the next record to read: all before are done with. */
  get position(): number {
    return this.#position;
  }

  get idle(): boolean {
    return !this.#running;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    const wake = (): void => {
      if (this.#running) this.#onAppend();
      else void this.#run();
    };
    this.#release = [this.#shard.keepFor(this), this.#shard.onAppend(wake)];
    if (!this.#running && this.#position < this.#shard.end) void this.#run();
  }

  /** Leaves out what is there, as a mapping does that is made now and begins at LATEST. */
  skip(): void {
    this.#position = this.#shard.end;
  }

  /** A batch that is under way is ended, and no other is begun. */
  stop(): void {
    this.#stopped = true;
    for (const release of this.#release.splice(0)) release();
    this.#pause.end();
  }

  /** While a batch is being filled: looks whether that is enough. */
  #onAppend: () => void = () => undefined;

  async #run(): Promise<void> {
    this.#running = true;
    await this.#pause.wait(this.#ports.eventDelay(POLL_MS));
    while (!this.#stopped && (await this.#next()) && this.#position < this.#shard.end);
    this.#running = false;
    this.#ports.onProgress();
  }

  /** @returns false for a batch that was ended in the middle, because the lane is stopped. */
  async #next(): Promise<boolean> {
    const { located, end } = await this.#collect();
    if (!this.#stopped) await this.#work(located, 0);
    if (this.#stopped && this.#position < end) return false;
    this.#position = this.#rewindTo ?? end;
    this.#rewindTo = undefined;
    return true;
  }

  /** The next batch: a full one, or what is there once the batching window is over. */
  async #collect(): Promise<Batch> {
    const { batchSize, windowMs } = this.#target.mapping;
    const located: Located[] = [];
    let bytes = 0;
    let end = Math.max(this.#position, this.#shard.start);
    /** @returns whether the batch is full. */
    const fill = (): boolean => {
      for (let entry = this.#shard.at(end); entry !== undefined; entry = this.#shard.at(++end)) {
        if (!this.#isMine(entry) || !this.#target.mapping.matches(entry.record)) continue;
        bytes += JSON.stringify(entry.record).length + this.#target.mapping.sourceArn.length;
        if (located.length > 0 && bytes > MAX_BATCH_BYTES) return true;
        located.push({ position: end, entry });
        if (located.length === batchSize) {
          end++;
          return true;
        }
      }
      return false;
    };
    if (!fill() && located.length > 0 && windowMs > 0) {
      this.#onAppend = () => {
        if (fill()) this.#pause.end();
      };
      await this.#pause.wait(this.#ports.eventDelay(windowMs));
      this.#onAppend = () => undefined;
    }
    return { located, end };
  }

  /** Delivers records until they are done with, one way or the other, or the lane is stopped. */
  async #work(records: readonly Located[], failuresBefore: number): Promise<void> {
    const { mapping } = this.#target;
    let failures = failuresBefore;
    let tries = failuresBefore;
    let rest = records;
    while (rest.length > 0) {
      rest = this.#withoutTooOld(rest, failures);
      const [first] = rest;
      if (first === undefined || this.#stopped) return;
      const outcome = await this.#deliver(rest);
      tries++;
      if (outcome.kind === 'done') {
        this.#done(rest);
        if (outcome.redeliver !== undefined) this.#rewind(first.position - outcome.redeliver);
        return;
      }
      if (outcome.kind === 'failed') {
        // What comes before the first record that has failed is done, and the rest is tried anew.
        const from = rest.findIndex(({ entry }) => outcome.failed?.has(sequence(entry)));
        if (from > 0) {
          this.#done(rest.slice(0, from));
          rest = rest.slice(from);
          failures = 0;
        } else if (mapping.bisects && rest.length > 1) {
          // "Bisecting a batch doesn't count towards the retry quota."
          const middle = Math.ceil(rest.length / 2);
          await this.#work(rest.slice(0, middle), failures);
          await this.#work(rest.slice(middle), failures);
          return;
        }
        failures++;
        if (failures > mapping.retries) {
          this.#discard(rest, 'RetryAttemptsExhausted', failures);
          return;
        }
      }
      // "This doesn't apply to service errors or throttles where the batch didn't reach the function": retries are not counted.
      await this.#pause.wait(this.#ports.eventDelay(backoff(tries - 1)));
    }
  }

  #deliver(records: readonly Located[]): ReturnType<typeof deliver> {
    const entries = records.map(({ entry }) => entry);
    const eventSourceARN = this.#target.mapping.sourceArn;
    return deliver(
      this.#target,
      this.#ports,
      entries.map(({ record }) => ({ ...record, eventSourceARN })),
      entries.map(sequence),
    );
  }

  #withoutTooOld(records: readonly Located[], invocations: number): readonly Located[] {
    const oldest = this.#ports.clock().getTime() - this.#target.mapping.maxAgeMs;
    const young = records.findIndex(({ entry }) => entry.time >= oldest);
    if (young === 0) return records;
    const tooOld = young < 0 ? records : records.slice(0, young);
    this.#discard(tooOld, 'RecordAgeExceeded', invocations);
    return young < 0 ? [] : records.slice(young);
  }

  #discard(records: readonly Located[], condition: Condition, invocations: number): void {
    const entries = records.map(({ entry }) => entry);
    this.#ports.discard(entries, this.#shard, condition, invocations);
    this.#done(records);
  }

  /** The shard's checkpoint. */
  #done(records: readonly Located[]): void {
    const last = records.at(-1);
    if (last !== undefined) this.#position = last.position + 1;
  }

  #rewind(position: number): void {
    this.#rewindTo = Math.max(Math.min(position, this.#rewindTo ?? Infinity), this.#shard.start);
  }
}

function sequence({ record }: ShardEntry): string {
  return record.dynamodb.SequenceNumber;
}
