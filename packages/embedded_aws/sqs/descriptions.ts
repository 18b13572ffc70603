import { SqsError } from './answers.ts';
import { MAX_MESSAGE_BYTES, md5OfAttributes, md5OfBody } from './message.ts';
import type { Message, Queue } from './queue.ts';
import type { SqsRequest } from './request.ts';

/**
 * What a queue says of itself.
 *
 * @param names `All` is every one.
 * @throws SqsError InvalidAttributeName
 */
export function queueAttributes(
  queue: Queue,
  names: readonly string[],
): Readonly<Record<string, string>> {
  const { settings, counts, createdAt } = queue;
  const created = String(Math.floor(createdAt / 1_000));
  const all: Readonly<Record<string, string | undefined>> = {
    QueueArn: settings.arn,
    ApproximateNumberOfMessages: String(counts.available),
    ApproximateNumberOfMessagesNotVisible: String(counts['in flight']),
    ApproximateNumberOfMessagesDelayed: String(counts.delayed),
    CreatedTimestamp: created,
    LastModifiedTimestamp: created,
    VisibilityTimeout: String(settings.visibilityTimeout),
    MaximumMessageSize: String(MAX_MESSAGE_BYTES),
    MessageRetentionPeriod: String(settings.retention),
    DelaySeconds: String(settings.delay),
    ReceiveMessageWaitTimeSeconds: String(settings.receiveWait),
    RedrivePolicy: settings.redrive === undefined ? undefined : JSON.stringify(settings.redrive),
    SqsManagedSseEnabled: String(settings.encrypted),
  };
  for (const name of names) {
    if (name === 'All' || Object.hasOwn(all, name) || KNOWN_TO_AWS.has(name)) continue;
    throw new SqsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
  }
  return Object.fromEntries(
    Object.entries(all).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && (names.includes('All') || names.includes(entry[0])),
    ),
  );
}

/** Attributes that a queue here never has; to ask for them is no mistake. */
const KNOWN_TO_AWS = new Set([
  'Policy',
  'RedriveAllowPolicy',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'FifoQueue',
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'FifoThroughputLimit',
]);

/** Who sends, as far as a queue is told: everybody is of the account. */
const SENDER_ID = 'AIDAEMBEDDEDAWS';

/** The attributes that SQS gives to a message that was received. */
export function systemAttributes(message: Message): Readonly<Record<string, string>> {
  const { sentAt, receiveCount, firstReceivedAt = sentAt, sourceArn } = message;
  return {
    ApproximateReceiveCount: `${receiveCount}`,
    SentTimestamp: `${sentAt}`,
    SenderId: SENDER_ID,
    ApproximateFirstReceiveTimestamp: `${firstReceivedAt}`,
    ...(sourceArn === undefined ? {} : { DeadLetterQueueSourceArn: sourceArn }),
  };
}

/** A message as ReceiveMessage answers it, with those of its attributes that are asked for. */
export function receivedMessage(message: Message, request: SqsRequest): object {
  const { id, body, receiptHandle } = message;
  const wanted = [
    // The former is the older name of the latter.
    ...request.texts('AttributeNames'),
    ...request.texts('MessageSystemAttributeNames'),
  ];
  const Attributes = chosen(systemAttributes(message), (name) =>
    wanted.some((other) => other === 'All' || other === name),
  );
  const MessageAttributes = chosen(
    message.attributes,
    namedBy(request.texts('MessageAttributeNames')),
  );
  const MD5OfMessageAttributes = md5OfAttributes(MessageAttributes);
  return {
    MessageId: id,
    ReceiptHandle: receiptHandle,
    MD5OfBody: md5OfBody(body),
    Body: body,
    ...(Object.keys(Attributes).length === 0 ? {} : { Attributes }),
    ...(MD5OfMessageAttributes === undefined ? {} : { MessageAttributes, MD5OfMessageAttributes }),
  };
}

/** `All` and `.*` name every attribute, `bar.*` those that begin with `bar.` (API reference of ReceiveMessage). */
function namedBy(patterns: readonly string[]): (name: string) => boolean {
  return (name) =>
    patterns.some(
      (pattern) =>
        pattern === 'All' ||
        pattern === name ||
        (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -1).replace(/^\.$/, ''))),
    );
}

function chosen<Value>(
  values: Readonly<Record<string, Value>>,
  isChosen: (name: string) => boolean,
): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => isChosen(name)));
}
