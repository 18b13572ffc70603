import { SqsError } from './answers.ts';
import { MAX_MESSAGE_BYTES } from './message.ts';
import type { Queue } from './queue.ts';

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
