import { notImplemented } from '../aws/faults.ts';
import type { Time } from '../aws/time.ts';
import type { Service } from '../http/service.ts';
import { answer, errorAnswer, SqsError } from './answers.ts';
import { OPERATIONS, type Queues } from './operations.ts';
import { Queue, type QueueSettings } from './queue.ts';
import { SqsRequest } from './request.ts';

export interface SqsPorts extends Time {
  readonly region: string;
  readonly accountId: string;
  /** Where queues' URLs begin: the address of this server. */
  readonly url: string;
  readonly newId: () => string;
  /**
   * What the delay of a message shall be, milliseconds.
   *
   * @default as it is sent
   */
  readonly eventDelay?: (milliseconds: number) => number;
}

/** "A queue name can have up to 80 characters": alphanumeric, hyphens and underscores (SQS quotas). */
const QUEUE_NAME = /^[\w-]{1,80}$/;

/** SQS in memory: standard queues, by AWS's JSON 1.0 protocol. */
export class SqsStandIn {
  readonly #ports: SqsPorts;
  readonly #queues = new Map<string, Queue>();
  readonly #polls = new Set<() => void>();
  #closed = false;

  constructor(ports: SqsPorts) {
    this.#ports = ports;
  }

  /**
   * @param settings all but the ARN, which follows from the name.
   * @throws Error for a FIFO queue, a wrong name, and a dead-letter queue that is not there.
   */
  createQueue(settings: Omit<QueueSettings, 'arn'>): Queue {
    const { name, redrive } = settings;
    if (!QUEUE_NAME.test(name)) {
      throw new Error(
        name.endsWith('.fifo')
          ? `${name} is a FIFO queue, which the embedded AWS does not know`
          : `${name}: a queue's name can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length`,
      );
    }
    if (redrive !== undefined && this.queueOf(redrive.deadLetterTargetArn) === undefined) {
      throw new Error(
        `Value ${JSON.stringify(redrive)} for parameter RedrivePolicy of ${name} is invalid. Reason: Dead letter target does not exist.`,
      );
    }
    const { region, accountId, clock, after, newId, eventDelay = unchanged } = this.#ports;
    const arn = `arn:aws:sqs:${region}:${accountId}:${name}`;
    const queueOf = (other: string): Queue | undefined => this.queueOf(other);
    const queue = new Queue({ ...settings, arn }, { clock, after, newId, eventDelay, queueOf });
    this.#queues.set(name, queue);
    return queue;
  }

  /** By its ARN. */
  queueOf(arn: string): Queue | undefined {
    const queue = this.#queues.get(arn.split(':').at(-1) ?? '');
    return queue?.settings.arn === arn ? queue : undefined;
  }

  readonly handle: Service = async (request) => {
    const [, name = ''] = String(request.headers['x-amz-target']).split('.');
    const operation = OPERATIONS.get(name);
    if (operation === undefined) return notImplemented('sqs', name);
    try {
      return answer(await operation(SqsRequest.parse(request.body), this.#view));
    } catch (error) {
      if (error instanceof SqsError) return errorAnswer(error);
      throw error;
    }
  };

  /** Ends what waits: long polls are answered, and nothing becomes visible any more. */
  close(): void {
    this.#closed = true;
    for (const end of [...this.#polls]) end();
    for (const queue of this.#queues.values()) queue.close();
  }

  readonly #view: Queues = {
    isHere: (accountId) => accountId === this.#ports.accountId,
    all: () => [...this.#queues.values()],
    urlOf: ({ settings }) => `${this.#ports.url}/${this.#ports.accountId}/${settings.name}`,
    named: (name) => {
      const queue = this.#queues.get(name);
      if (queue !== undefined) return queue;
      throw new SqsError('QueueDoesNotExist', 'The specified queue does not exist.');
    },
    waitForMessage: (queue, seconds) => this.#waitForMessage(queue, seconds),
  };

  #waitForMessage(queue: Queue, seconds: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        stopTimer();
        stopListening();
        this.#polls.delete(end);
        resolve();
      };
      const stopListening = queue.onChange(() => {
        if (queue.hasVisible) end();
      });
      const stopTimer = this.#ports.after(seconds * 1_000, end);
      this.#polls.add(end);
    });
  }
}

function unchanged(milliseconds: number): number {
  return milliseconds;
}
