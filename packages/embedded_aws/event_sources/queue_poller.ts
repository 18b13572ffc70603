import { Pause } from '../aws/time.ts';
import { md5OfAttributes, md5OfBody } from '../sqs/message.ts';
import type { Message, Queue } from '../sqs/queue.ts';
import { systemAttributes } from '../sqs/descriptions.ts';
import {
  backoff,
  deliver,
  type DeliveryPorts,
  type DeliveryTarget,
  MAX_BATCH_BYTES,
} from './delivery.ts';

export interface QueuePollerPorts extends DeliveryPorts {
  readonly region: string;
  readonly onProgress: () => void;
}

/** A message that was taken, as the function is given it. */
interface Taken {
  readonly handle: string;
  readonly record: QueueRecord;
  /** When it is visible again, epoch milliseconds. */
  readonly visibleAt: number;
}

interface QueueRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly [member: string]: unknown;
}

/** Takes messages from a queue in batches, several of which may be worked on at once. It sleeps until a message is visible. */
export class QueuePoller {
  readonly #queue: Queue;
  readonly #target: DeliveryTarget;
  readonly #ports: QueuePollerPorts;
  readonly #pauses = new Set<Pause>();
  #collecting = false;
  #running = 0;
  #stopped = true;
  #release: () => void = () => undefined;
  #onVisible: () => void = () => undefined;

  constructor(queue: Queue, target: DeliveryTarget, ports: QueuePollerPorts) {
    this.#queue = queue;
    this.#target = target;
    this.#ports = ports;
  }

  /** Messages that are delayed, or in flight, are still to be delivered. */
  get idle(): boolean {
    return !this.#collecting && this.#running === 0 && this.#queue.empty;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#release = this.#queue.onChange(() => {
      this.#onVisible();
      this.#wake();
      this.#ports.onProgress();
    });
    this.#wake();
  }

  /** Batches that are under way are ended, and no other is begun. */
  stop(): void {
    this.#stopped = true;
    this.#release();
    for (const pause of this.#pauses) pause.end();
  }

  #wake(): void {
    const free = this.#running < this.#target.mapping.maxConcurrency;
    if (this.#stopped || this.#collecting || !free || !this.#queue.hasVisible) return;
    this.#collecting = true;
    void this.#next();
  }

  async #next(): Promise<void> {
    // What is sent together, as a batch, is received together.
    await Promise.resolve();
    const batch = await this.#collect();
    this.#collecting = false;
    if (this.#stopped || batch.length === 0) {
      for (const { handle } of batch) this.#queue.changeVisibility(handle, 0);
    } else {
      this.#running++;
      void this.#work(batch).finally(() => {
        this.#running--;
        this.#wake();
        this.#ports.onProgress();
      });
    }
    this.#wake();
    this.#ports.onProgress();
  }

  async #collect(): Promise<readonly Taken[]> {
    const { batchSize, windowMs } = this.#target.mapping;
    const batch: Taken[] = [];
    let bytes = 0;
    /** @returns whether the batch is full. */
    const fill = (): boolean => {
      while (batch.length < batchSize) {
        const [message] = this.#queue.receive(1);
        if (message === undefined) return false;
        const taken = this.#taken(message);
        if (!this.#isWanted(taken)) continue;
        bytes += JSON.stringify(taken.record).length;
        if (batch.length > 0 && bytes > MAX_BATCH_BYTES) {
          this.#queue.changeVisibility(taken.handle, 0);
          return true;
        }
        batch.push(taken);
      }
      return true;
    };
    if (!fill() && batch.length > 0 && windowMs > 0 && !this.#stopped) {
      const pause = new Pause(this.#ports.after);
      this.#onVisible = () => {
        if (fill()) pause.end();
      };
      await this.#wait(pause, this.#ports.eventDelay(windowMs));
      this.#onVisible = () => undefined;
    }
    return batch;
  }

  /** "If a message doesn't meet the filter criteria, Lambda deletes it from the queue." */
  #isWanted({ record, handle }: Taken): boolean {
    if (this.#target.mapping.matches({ ...record, body: parsedBody(record.body) })) return true;
    this.#queue.delete(handle);
    return false;
  }

  async #work(batch: readonly Taken[]): Promise<void> {
    const visibleAt = Math.min(...batch.map((taken) => taken.visibleAt));
    for (let throttles = 0; ; throttles++) {
      const records = batch.map(({ record }) => record);
      const ids = records.map(({ messageId }) => messageId);
      const outcome = await deliver(this.#target, this.#ports, records, ids);
      if (outcome.kind === 'done') {
        this.#settle(batch, (taken) => {
          if (outcome.redeliver === undefined) this.#queue.delete(taken.handle);
          else this.#queue.changeVisibility(taken.handle, 0);
        });
        return;
      }
      const delay = this.#ports.eventDelay(backoff(throttles));
      const now = this.#ports.clock().getTime();
      // A throttled batch is tried again "until the message's timestamp exceeds the queue's visibility timeout".
      if (outcome.kind === 'failed' || this.#stopped || now + delay >= visibleAt) {
        const { failed } = outcome.kind === 'failed' ? outcome : {};
        this.#settle(batch, (taken) => {
          const hasFailed = failed?.has(taken.record.messageId) ?? true;
          if (!hasFailed) this.#queue.delete(taken.handle);
          else {
            const left = Math.max(0, taken.visibleAt - now);
            this.#queue.changeVisibility(taken.handle, this.#ports.eventDelay(left));
          }
        });
        return;
      }
      await this.#wait(new Pause(this.#ports.after), delay);
    }
  }

  /** A message may be visible again, or with somebody else, before its function has ended: then it is no longer this batch's. */
  #settle(batch: readonly Taken[], settle: (taken: Taken) => void): void {
    for (const taken of batch) {
      if (this.#queue.isInFlight(taken.handle)) settle(taken);
    }
  }

  async #wait(pause: Pause, milliseconds: number): Promise<void> {
    this.#pauses.add(pause);
    await pause.wait(milliseconds);
    this.#pauses.delete(pause);
  }

  #taken(message: Message): Taken {
    const { id, body, attributes, receiptHandle = '' } = message;
    const md5OfMessageAttributes = md5OfAttributes(attributes);
    const visibility = this.#queue.settings.visibilityTimeout * 1_000;
    return {
      handle: receiptHandle,
      visibleAt: this.#ports.clock().getTime() + visibility,
      record: {
        messageId: id,
        receiptHandle,
        body,
        attributes: systemAttributes(message),
        messageAttributes: Object.fromEntries(
          Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
            name,
            {
              ...(StringValue === undefined ? {} : { stringValue: StringValue }),
              ...(BinaryValue === undefined ? {} : { binaryValue: BinaryValue }),
              stringListValues: [],
              binaryListValues: [],
              dataType: DataType,
            },
          ]),
        ),
        md5OfBody: md5OfBody(body),
        ...(md5OfMessageAttributes === undefined ? {} : { md5OfMessageAttributes }),
        eventSource: 'aws:sqs',
        eventSourceARN: this.#queue.settings.arn,
        awsRegion: this.#ports.region,
      },
    };
  }
}

/** A filter sees JSON as what it says, and other text as it is. */
function parsedBody(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}
