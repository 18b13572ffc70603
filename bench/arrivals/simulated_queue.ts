import { QUEUE_POLLERS } from 'receipts-cli/estimate/arrival_costs';
import type { Random } from 'receipts-cli/synthetic_receipts/random';
import { QUEUE_READING } from '../../components/arrival_reading.ts';
import type { SimulatedClock } from './simulated_clock.ts';

export interface SimulatedMessage {
  readonly messageId: string;
  readonly body: string;
}

/** Messages of one ReceiveMessage or DeleteMessageBatch (API reference of Amazon SQS). */
const MOST_AT_ONCE = 10;

interface Poller {
  batch: SimulatedMessage[];
  state: 'waiting' | 'gathering' | 'closed';
}

/**
 * The queue, which delays each message, and Lambda's five pollers. Each gathers messages until its batch is full or its window is over. Which of
 * them gets a message is AWS's affair, and chance here: that is the worst, since it makes the most batches.
 */
export class SimulatedQueue {
  readonly #clock: SimulatedClock;
  readonly #random: Random;
  readonly #settings: { readonly delaySeconds: number };
  readonly #invoke: (messages: readonly SimulatedMessage[]) => Promise<void>;
  readonly #visible: SimulatedMessage[] = [];
  readonly #closed: Poller[] = [];
  readonly #pollers: readonly Poller[];
  #running = 0;
  #handled = 0;
  /** What SQS bills: sending, receiving, deleting. Polls that get nothing are billed whether anything arrives or not, so the month has them. */
  requests = 0;
  messages = 0;
  largestBytes = 0;

  constructor(
    clock: SimulatedClock,
    random: Random,
    settings: { readonly delaySeconds: number },
    invoke: (messages: readonly SimulatedMessage[]) => Promise<void>,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#settings = settings;
    this.#invoke = invoke;
    this.#pollers = Array.from({ length: QUEUE_POLLERS }, () => ({
      batch: [],
      state: 'waiting',
    }));
  }

  /** Messages that nobody has handled. */
  get left(): number {
    return this.messages - this.#handled;
  }

  send(body: string): void {
    this.requests++;
    this.messages++;
    this.largestBytes = Math.max(this.largestBytes, Buffer.byteLength(body));
    const messageId = `message-${this.messages}`;
    this.#clock.at(this.#clock.now + this.#settings.delaySeconds, () => {
      this.#visible.push({ messageId, body });
      this.#hand();
    });
  }

  #hand(): void {
    while (this.#visible.length > 0) {
      const free = this.#pollers.filter(({ state }) => state !== 'closed');
      if (free.length === 0) return;
      this.#receive(this.#random.pick(free));
    }
  }

  #receive(poller: Poller): void {
    this.requests++;
    const room = QUEUE_READING.batchSize - poller.batch.length;
    poller.batch.push(...this.#visible.splice(0, Math.min(room, MOST_AT_ONCE)));
    if (poller.state === 'waiting') {
      poller.state = 'gathering';
      const { batch } = poller;
      this.#clock.at(this.#clock.now + QUEUE_READING.maximumBatchingWindowInSeconds, () => {
        if (poller.batch === batch) this.#close(poller);
      });
    }
    if (poller.batch.length === QUEUE_READING.batchSize) this.#close(poller);
  }

  #close(poller: Poller): void {
    if (poller.state === 'closed') return;
    poller.state = 'closed';
    this.#closed.push(poller);
    this.#invokeNext();
  }

  #invokeNext(): void {
    if (this.#running >= QUEUE_READING.scalingConfig.maximumConcurrency) return;
    const poller = this.#closed.shift();
    if (poller === undefined) return;
    this.#running++;
    this.#clock.begin(async () => {
      await this.#invoke(poller.batch);
      this.requests += Math.ceil(poller.batch.length / MOST_AT_ONCE);
      this.#handled += poller.batch.length;
      Object.assign(poller, { batch: [], state: 'waiting' });
      this.#running--;
      this.#hand();
      this.#invokeNext();
    });
  }
}
