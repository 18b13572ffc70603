import { SqsError } from './answers.ts';
import { queueAttributes, receivedMessage } from './descriptions.ts';
import {
  MAX_MESSAGE_BYTES,
  md5OfAttributes,
  md5OfBody,
  type MessageAttributes,
  messageBytes,
  type MessageContent,
  requireMessage,
} from './message.ts';
import type { Queue } from './queue.ts';
import type { SqsRequest } from './request.ts';

/** What operations need of the stand-in. */
export interface Queues {
  readonly isHere: (accountId: string) => boolean;
  readonly all: () => readonly Queue[];
  readonly urlOf: (queue: Queue) => string;
  /** @throws SqsError QueueDoesNotExist */
  readonly named: (name: string) => Queue;
  /** Resolves when a message may be there, after so many seconds, or when the stand-in ends. */
  readonly waitForMessage: (queue: Queue, seconds: number) => Promise<void>;
}

type Operation = (request: SqsRequest, queues: Queues) => object | Promise<object>;
type QueueOperation = (queue: Queue, request: SqsRequest, queues: Queues) => ReturnType<Operation>;

/** Seconds (SQS quotas): a delay, a visibility timeout, a long poll. */
const MAX_DELAY = 900;
const MAX_VISIBILITY_TIMEOUT = 43_200;
const MAX_WAIT = 20;

const QUEUE_OPERATIONS: Readonly<Record<string, QueueOperation>> = {
  SendMessage: (queue, request) => sent(queue, request),
  SendMessageBatch: (queue, request) => {
    const entries = request.entries();
    const bytes = entries.reduce((sum, [, entry]) => sum + messageBytes(content(entry)), 0);
    if (bytes > MAX_MESSAGE_BYTES) {
      throw new SqsError(
        'BatchRequestTooLong',
        `Batch requests cannot be longer than ${MAX_MESSAGE_BYTES} bytes. You have sent ${bytes} bytes.`,
      );
    }
    return eachEntry(entries, (entry) => sent(queue, entry));
  },
  ReceiveMessage: receive,
  DeleteMessage: (queue, request) => {
    queue.delete(request.text('ReceiptHandle'));
    return {};
  },
  DeleteMessageBatch: (queue, request) =>
    eachEntry(request.entries(), (entry) => {
      queue.delete(entry.text('ReceiptHandle'));
      return {};
    }),
  ChangeMessageVisibility: (queue, request) => {
    const seconds = request.integer('VisibilityTimeout', 0, MAX_VISIBILITY_TIMEOUT);
    if (seconds === undefined) request.text('VisibilityTimeout');
    queue.changeVisibility(request.text('ReceiptHandle'), (seconds ?? 0) * 1_000);
    return {};
  },
  GetQueueAttributes: (queue, request) => {
    const Attributes = queueAttributes(queue, request.texts('AttributeNames'));
    return Object.keys(Attributes).length === 0 ? {} : { Attributes };
  },
  PurgeQueue: (queue) => {
    queue.purge();
    return {};
  },
};

/** The operations that exist, by their names. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ...Object.entries(QUEUE_OPERATIONS).map(([name, operation]): [string, Operation] => [
    name,
    (request, queues) => operation(queueOf(request, queues), request, queues),
  ]),
  [
    'GetQueueUrl',
    (request, queues) => ({ QueueUrl: queues.urlOf(queues.named(request.text('QueueName'))) }),
  ],
  ['ListQueues', listQueues],
]);

/** `{server}/{account}/{name}`: as with AWS, it is the path that counts. */
function queueOf(request: SqsRequest, queues: Queues): Queue {
  const url = request.text('QueueUrl');
  const [name = '', accountId = ''] = url.split('/').reverse();
  return queues.named(queues.isHere(accountId) ? name : url);
}

function content(request: SqsRequest): MessageContent {
  return {
    body: request.optionalText('MessageBody') ?? '',
    attributes: request.record('MessageAttributes') as MessageAttributes,
  };
}

function sent(queue: Queue, request: SqsRequest): object {
  const message = content(request);
  requireMessage(message);
  const delay = request.integer('DelaySeconds', 0, MAX_DELAY);
  const MD5OfMessageAttributes = md5OfAttributes(message.attributes);
  return {
    MessageId: queue.send(message, delay),
    MD5OfMessageBody: md5OfBody(message.body),
    ...(MD5OfMessageAttributes === undefined ? {} : { MD5OfMessageAttributes }),
  };
}

/** Each entry of a batch has an outcome of its own. */
function eachEntry(
  entries: readonly (readonly [string, SqsRequest])[],
  perform: (entry: SqsRequest) => object,
): object {
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const [Id, entry] of entries) {
    try {
      Successful.push({ Id, ...perform(entry) });
    } catch (error) {
      if (!(error instanceof SqsError)) throw error;
      Failed.push({ Id, SenderFault: true, Code: error.code, Message: error.message });
    }
  }
  return { Successful, ...(Failed.length === 0 ? {} : { Failed }) };
}

async function receive(queue: Queue, request: SqsRequest, queues: Queues): Promise<object> {
  const most = request.integer('MaxNumberOfMessages', 1, 10) ?? 1;
  const visibility = request.integer('VisibilityTimeout', 0, MAX_VISIBILITY_TIMEOUT);
  const wait = request.integer('WaitTimeSeconds', 0, MAX_WAIT) ?? queue.settings.receiveWait;
  let messages = queue.receive(most, visibility);
  if (messages.length === 0 && wait > 0) {
    await queues.waitForMessage(queue, wait);
    messages = queue.receive(most, visibility);
  }
  if (messages.length === 0) return {};
  return { Messages: messages.map((message) => receivedMessage(message, request)) };
}

function listQueues(request: SqsRequest, queues: Queues): object {
  const prefix = request.optionalText('QueueNamePrefix') ?? '';
  const most = request.integer('MaxResults', 1, 1_000);
  const after = request.optionalText('NextToken');
  const names = queues
    .all()
    .map(({ settings }) => settings.name)
    .filter((name) => name.startsWith(prefix))
    .sort();
  const rest = names.filter((name) => after === undefined || name > after);
  // Without MaxResults a request is answered 1,000 queues, and no token (API reference of ListQueues).
  const page = rest.slice(0, most ?? 1_000);
  const last = page.at(-1);
  return {
    ...(page.length === 0
      ? {}
      : { QueueUrls: page.map((name) => queues.urlOf(queues.named(name))) }),
    ...(most !== undefined && last !== undefined && page.length < rest.length
      ? { NextToken: last }
      : {}),
  };
}
