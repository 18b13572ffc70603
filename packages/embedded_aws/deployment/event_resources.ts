import type { EventSourceMappings } from '../event_sources/event_source_mappings.ts';
import type { MappingArgs } from '../event_sources/mapping_settings.ts';
import type { RedrivePolicy } from '../sqs/queue.ts';
import type { SqsStandIn } from '../sqs/sqs_stand_in.ts';

/** What the program registers of a queue, as far as it is needed here; times in seconds. */
interface QueueState {
  readonly name: string;
  readonly fifoQueue?: boolean;
  readonly delaySeconds?: number;
  readonly visibilityTimeoutSeconds?: number;
  readonly messageRetentionSeconds?: number;
  readonly receiveWaitTimeSeconds?: number;
  /** JSON. */
  readonly redrivePolicy?: string;
  readonly sqsManagedSseEnabled?: boolean;
}

/** @throws Error for what SQS would not take, or what does not run here. */
export function createQueue(registered: Readonly<Record<string, unknown>>, sqs: SqsStandIn): void {
  const state = registered as unknown as QueueState;
  // What is not said is SQS's default.
  sqs.createQueue({
    name: state.fifoQueue === true ? `${state.name.replace(/\.fifo$/, '')}.fifo` : state.name,
    delay: state.delaySeconds ?? 0,
    visibilityTimeout: state.visibilityTimeoutSeconds ?? 30,
    retention: state.messageRetentionSeconds ?? 345_600,
    receiveWait: state.receiveWaitTimeSeconds ?? 0,
    encrypted: state.sqsManagedSseEnabled ?? true,
    ...(state.redrivePolicy === undefined ? {} : { redrive: redrivePolicy(state.redrivePolicy) }),
  });
}

function redrivePolicy(text: string): RedrivePolicy {
  const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(text) as Readonly<
    Record<keyof RedrivePolicy, unknown>
  >;
  // AWS takes a number in quotes, too.
  const most = Number(maxReceiveCount);
  if (typeof deadLetterTargetArn === 'string' && most >= 1 && most <= 1_000) {
    return { deadLetterTargetArn, maxReceiveCount: most };
  }
  throw new Error(
    `Value ${text} for parameter RedrivePolicy is invalid. Reason: deadLetterTargetArn, and a maxReceiveCount from 1 to 1000, are expected.`,
  );
}

/** What a program may say of a mapping of a stream or a queue. */
const KNOWN = new Set([
  ...['uuid', 'arn', 'functionArn', 'state', 'eventSourceArn', 'functionName', 'enabled', 'tags'],
  ...['batchSize', 'maximumBatchingWindowInSeconds', 'startingPosition', 'filterCriteria'],
  ...['functionResponseTypes', 'bisectBatchOnFunctionError', 'maximumRetryAttempts'],
  ...['maximumRecordAgeInSeconds', 'parallelizationFactor', 'destinationConfig', 'scalingConfig'],
]);

/** @throws Error for what Lambda would not take, or what does not run here. */
export function createMapping(
  registered: Readonly<Record<string, unknown>>,
  mappings: EventSourceMappings,
): void {
  const args = registered as unknown as MappingArgs;
  const unknown = Object.keys(registered).find(
    (property) => registered[property] !== undefined && !KNOWN.has(property),
  );
  if (unknown !== undefined) {
    throw new Error(
      `the mapping of ${args.eventSourceArn} has ${unknown}, which the embedded AWS does not know`,
    );
  }
  mappings.create(args);
}
