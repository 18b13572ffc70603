import type { Time } from '../aws/time.ts';
import { SqsError } from './answers.ts';
import type { MessageContent } from './message.ts';

/** A queue as it is deployed; times in seconds. */
export interface QueueSettings {
  readonly name: string;
  readonly arn: string;
  readonly delay: number;
  readonly visibilityTimeout: number;
  readonly retention: number;
  readonly receiveWait: number;
  readonly redrive?: RedrivePolicy;
  /** Whether messages are encrypted with a key of SQS, which changes nothing here but what the queue says of itself. */
  readonly encrypted: boolean;
}

export interface RedrivePolicy {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}

/** A message in a queue. */
export interface Message extends MessageContent {
  readonly id: string;
  /** Epoch milliseconds; it stays when the message moves to a dead-letter queue. */
  readonly sentAt: number;
  /** The queue that it came from, of a message in a dead-letter queue. */
  readonly sourceArn?: string;
  /** How often it was received, "across all queues". */
  readonly receiveCount: number;
  readonly firstReceivedAt?: number;
  /** Of its last receipt: the one that counts. */
  readonly receiptHandle?: string;
}

export interface QueuePorts extends Time {
  readonly newId: () => string;
  /** What the delay of a message shall be, milliseconds. */
  readonly eventDelay: (milliseconds: number) => number;
  /** Another queue, for messages that were received too often. */
  readonly queueOf: (arn: string) => Queue | undefined;
}

type State = 'available' | 'delayed' | 'in flight';

type Entry = { -readonly [Key in keyof Message]: Message[Key] } & {
  state: State;
  stopTimer: () => void;
};

/** Messages of a standard queue that may be in flight (SQS quotas). */
const MAX_IN_FLIGHT = 120_000;

/** How many messages are in which state. */
export type MessageCounts = Readonly<Record<State, number>>;

/** A standard queue in memory. Messages come in the order in which they became visible, which nobody may rely on. */
export class Queue {
  readonly settings: QueueSettings;
  readonly createdAt: number;
  readonly #ports: QueuePorts;
  readonly #entries = new Map<string, Entry>();
  readonly #available = new Set<Entry>();
  readonly #listeners = new Set<() => void>();
  #inFlight = 0;

  constructor(settings: QueueSettings, ports: QueuePorts) {
    this.settings = settings;
    this.#ports = ports;
    this.createdAt = ports.clock().getTime();
  }

  /** Calls it when a message becomes visible or leaves the queue, until what it gives is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param delay seconds, the queue's own by default. @returns its id. */
  send(content: MessageContent, delay = this.settings.delay): string {
    const { newId, clock, eventDelay } = this.#ports;
    const sentAt = clock().getTime();
    const message: Message = { ...content, id: newId(), sentAt, receiveCount: 0 };
    this.#enter(message, eventDelay(delay * 1_000));
    return message.id;
  }

  /**
   * Takes messages out of sight. Those that were received too often go to the dead-letter queue instead.
   *
   * @param visibilityTimeout seconds for which nobody else gets them.
   * @throws SqsError OverLimit
   */
  receive(most: number, visibilityTimeout = this.settings.visibilityTimeout): readonly Message[] {
    const taken: Message[] = [];
    for (const entry of this.#available) {
      if (taken.length >= most) break;
      if (this.#dropIfExpired(entry) || this.#redriven(entry)) continue;
      if (this.#inFlight >= MAX_IN_FLIGHT) {
        throw new SqsError('OverLimit', 'Too many messages are in flight.');
      }
      const now = this.#ports.clock().getTime();
      entry.receiveCount++;
      entry.firstReceivedAt ??= now;
      entry.receiptHandle = receiptHandle(entry.id, this.#ports.newId());
      this.#hide(entry, 'in flight', visibilityTimeout * 1_000);
      taken.push({ ...entry });
    }
    return taken;
  }

  /**
   * Removes a message. The handle of an earlier receipt, or of a message that is gone, does nothing and is no error.
   *
   * @throws SqsError ReceiptHandleIsInvalid
   */
  delete(handle: string): void {
    const entry = this.#entries.get(messageOf(handle));
    if (entry?.receiptHandle === handle) this.#remove(entry);
  }

  /**
   * Shows a message again after so many milliseconds from now.
   *
   * @throws SqsError ReceiptHandleIsInvalid, MessageNotInflight, InvalidParameterValue
   */
  changeVisibility(handle: string, milliseconds: number): void {
    const entry = this.#entries.get(messageOf(handle));
    if (entry?.receiptHandle !== handle) {
      throw new SqsError(
        'InvalidParameterValue',
        `Value ${handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
      );
    }
    if (entry.state !== 'in flight') {
      throw new SqsError('MessageNotInflight', 'The specified message is not in flight.');
    }
    this.#hide(entry, 'in flight', milliseconds);
  }

  /** Whether this receipt of a message is its last, and hides it still. */
  isInFlight(handle: string): boolean {
    const entry = this.#entries.get(messageOf(handle));
    return entry?.receiptHandle === handle && entry.state === 'in flight';
  }

  /** Removes everything. */
  purge(): void {
    for (const entry of [...this.#entries.values()]) this.#remove(entry);
  }

  get counts(): MessageCounts {
    const counts = { available: 0, delayed: 0, 'in flight': 0 };
    for (const entry of this.#entries.values()) {
      if (!this.#dropIfExpired(entry)) counts[entry.state]++;
    }
    return counts;
  }

  /** Whether there is a message to receive, or one that was received too often. */
  get hasVisible(): boolean {
    return this.#available.size > 0;
  }

  /** Whether nothing is in it, in whatever state. */
  get empty(): boolean {
    return this.#entries.size === 0;
  }

  /** Ends what waits. */
  close(): void {
    for (const { stopTimer } of this.#entries.values()) stopTimer();
  }

  #enter(message: Message, delay: number): void {
    const entry: Entry = { ...message, state: 'delayed', stopTimer: () => undefined };
    this.#entries.set(entry.id, entry);
    this.#hide(entry, 'delayed', delay);
  }

  #hide(entry: Entry, state: State, milliseconds: number): void {
    entry.stopTimer();
    this.#setState(entry, state);
    if (milliseconds <= 0) this.#show(entry);
    else {
      entry.stopTimer = this.#ports.after(milliseconds, () => {
        this.#show(entry);
      });
    }
  }

  #show(entry: Entry): void {
    this.#setState(entry, 'available');
    this.#changed();
  }

  #setState(entry: Entry, state: State): void {
    if (entry.state === 'in flight') this.#inFlight--;
    if (state === 'in flight') this.#inFlight++;
    entry.state = state;
    if (state === 'available') this.#available.add(entry);
    else this.#available.delete(entry);
  }

  #remove(entry: Entry): void {
    entry.stopTimer();
    this.#setState(entry, 'delayed');
    this.#entries.delete(entry.id);
    this.#changed();
  }

  #dropIfExpired(entry: Entry): boolean {
    const expired = entry.sentAt + this.settings.retention * 1_000 <= this.#ports.clock().getTime();
    if (expired) this.#remove(entry);
    return expired;
  }

  #redriven(entry: Entry): boolean {
    const { redrive, arn } = this.settings;
    if (redrive === undefined || entry.receiveCount < redrive.maxReceiveCount) return false;
    const target = this.#ports.queueOf(redrive.deadLetterTargetArn);
    if (target === undefined) return false;
    this.#remove(entry);
    const { id, body, attributes, sentAt, receiveCount } = entry;
    target.#enter({ id, body, attributes, sentAt, receiveCount, sourceArn: arn }, 0);
    return true;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function receiptHandle(messageId: string, receipt: string): string {
  return Buffer.from(`${messageId} ${receipt}`).toString('base64');
}

/** @throws SqsError ReceiptHandleIsInvalid */
function messageOf(handle: string): string {
  const id = /^(\S+) \S+$/.exec(Buffer.from(handle, 'base64').toString())?.[1];
  if (id !== undefined) return id;
  const message = `The input receipt handle "${handle}" is not a valid receipt handle.`;
  throw new SqsError('ReceiptHandleIsInvalid', message);
}
