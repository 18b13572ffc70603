import type { Time } from '../aws/time.ts';
import type { TableStream } from '../dynamodb/streams/table_streams.ts';
import type { FunctionConfiguration } from '../lambda/lambda_stand_in.ts';
import type { Queue } from '../sqs/queue.ts';
import type { DeliveryPorts, DeliveryTarget } from './delivery.ts';
import { discardedBatch } from './discarded_batch.ts';
import { type MappingArgs, mappingSettings } from './mapping_settings.ts';
import { QueuePoller } from './queue_poller.ts';
import { type LanePorts, StreamLane } from './stream_lane.ts';

export interface EventSourcePorts extends Time {
  readonly region: string;
  readonly newId: () => string;
  readonly findStream: (arn: string) => TableStream | undefined;
  readonly findQueue: (arn: string) => Queue | undefined;
  readonly findFunction: (nameOrArn: string) => FunctionConfiguration | undefined;
  readonly deliver: DeliveryPorts['deliver'];
  /**
   * Throws an Error when the function's role does not allow a call.
   *
   * @default every role may do everything
   */
  readonly authorize?: (
    configuration: FunctionConfiguration,
    action: string,
    resource: string,
  ) => void;
  /**
   * What a wait shall be, milliseconds: that for a batch to fill, that before a retry, and that for a message to be visible again
   * after its function has failed.
   *
   * @default as the mapping and the queue say
   */
  readonly eventDelay?: DeliveryPorts['eventDelay'];
}

/** What reads a mapping's source: a lane of a shard, or a queue's poller. */
interface Poller {
  readonly idle: boolean;
  start(): void;
  stop(): void;
  /** Of a stream. */
  skip?(): void;
}

/** A mapping as it is deployed. */
export interface Mapping extends DeliveryTarget {
  readonly pollers: readonly Poller[];
  enabled: boolean;
  lastModified: Date;
}

/** What a mapping's poller asks for under the function's role ("Execution role permissions" of the two kinds of source). */
const STREAM_ACTIONS = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'];
const QUEUE_ACTIONS = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'];

/** Lambda's event source mappings: streams and queues whose records functions are invoked with. */
export class EventSourceMappings {
  readonly #ports: EventSourcePorts;
  readonly #mappings = new Map<string, Mapping>();
  #waiting: (() => void)[] = [];

  constructor(ports: EventSourcePorts) {
    this.#ports = ports;
  }

  get all(): readonly Mapping[] {
    return [...this.#mappings.values()];
  }

  find(uuid: string): Mapping | undefined {
    return this.#mappings.get(uuid);
  }

  /**
   * Creates a mapping, which works from now on when it is enabled.
   *
   * @throws Error with what Lambda would not take, what the function's role does not allow, or what does not run here.
   */
  create(args: MappingArgs): void {
    const { eventSourceArn: sourceArn, functionName } = args;
    try {
      const configuration = this.#ports.findFunction(functionName);
      if (configuration === undefined) throw new Error(`Function not found: ${functionName}`);
      const stream = this.#ports.findStream(sourceArn);
      const queue = this.#ports.findQueue(sourceArn);
      if (stream !== undefined) this.#createForStream(args, configuration, stream);
      else if (queue !== undefined) this.#createForQueue(args, configuration, queue);
      else throw new Error('the stream or queue does not exist here');
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`the mapping of ${sourceArn} to ${functionName}: ${message}`, {
        cause: error,
      });
    }
  }

  setEnabled(mapping: Mapping, enabled: boolean): void {
    mapping.enabled = enabled;
    mapping.lastModified = this.#ports.clock();
    for (const poller of mapping.pollers) {
      if (enabled) poller.start();
      else poller.stop();
    }
    this.#progress();
  }

  /** Disables all mappings. @returns enables them again; those of streams begin with what comes then. */
  hold(): () => void {
    const held = this.all.filter(({ enabled }) => enabled);
    for (const mapping of held) this.setEnabled(mapping, false);
    return () => {
      for (const mapping of held) {
        for (const poller of mapping.pollers) poller.skip?.();
        this.setEnabled(mapping, true);
      }
    };
  }

  /** Whether everything is delivered: no record of an enabled mapping's stream is left, and no message in its queue, whatever its state. */
  get isIdle(): boolean {
    return this.all.every(
      ({ enabled, pollers }) => !enabled || pollers.every((poller) => poller.idle),
    );
  }

  /**
   * Resolves when everything is delivered. A batch that fails again and again is waited for until it is done with: for ever, if
   * its mapping retries so.
   */
  async idle(): Promise<void> {
    while (!this.isIdle) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Delivers nothing any more. */
  close(): void {
    for (const { pollers } of this.all) {
      for (const poller of pollers) poller.stop();
    }
  }

  #createForStream(
    args: MappingArgs,
    configuration: FunctionConfiguration,
    stream: TableStream,
  ): void {
    const mapping = mappingSettings(args, 'stream');
    this.#authorize(
      configuration,
      STREAM_ACTIONS.map((action) => [`dynamodb:${action}`, stream.arn]),
      `Cannot access stream ${stream.arn}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.`,
    );
    const target = { mapping, configuration };
    const ports = this.#lanePorts(target);
    const pollers = stream.shards.flatMap((shard) =>
      Array.from(
        { length: mapping.parallelizationFactor },
        (_, lane) => new StreamLane(shard, lane, target, ports),
      ),
    );
    this.#add(target, pollers, args.enabled);
  }

  #createForQueue(args: MappingArgs, configuration: FunctionConfiguration, queue: Queue): void {
    const mapping = mappingSettings(args, 'queue');
    const { visibilityTimeout, arn } = queue.settings;
    if (visibilityTimeout < configuration.timeout) {
      throw new Error(
        `Queue visibility timeout: ${visibilityTimeout} seconds is less than Function timeout: ${configuration.timeout} seconds`,
      );
    }
    for (const action of QUEUE_ACTIONS) {
      this.#authorize(
        configuration,
        [[`sqs:${action}`, arn]],
        `The provided execution role does not have permissions to call ${action} on SQS`,
      );
    }
    const target = { mapping, configuration };
    const ports = { ...this.#deliveryPorts(), region: this.#ports.region };
    this.#add(target, [new QueuePoller(queue, target, ports)], args.enabled);
  }

  #add(target: DeliveryTarget, pollers: readonly Poller[], enabled = true): void {
    const mapping = { ...target, pollers, enabled, lastModified: this.#ports.clock() };
    this.#mappings.set(target.mapping.uuid, mapping);
    this.setEnabled(mapping, enabled);
  }

  #lanePorts(target: DeliveryTarget): LanePorts {
    const { configuration, mapping } = target;
    const { destinationArn } = mapping;
    const destination =
      destinationArn === undefined ? undefined : this.#destination(configuration, destinationArn);
    return {
      ...this.#deliveryPorts(),
      discard: (entries, shard, condition, invocations) => {
        const body = discardedBatch({
          entries,
          condition,
          invocations,
          functionArn: configuration.functionArn,
          streamArn: mapping.sourceArn,
          shardId: shard.id,
          requestId: this.#ports.newId(),
          time: this.#ports.clock(),
        });
        destination?.send({ body, attributes: {} });
      },
    };
  }

  #destination(configuration: FunctionConfiguration, arn: string): Queue {
    const queue = this.#ports.findQueue(arn);
    if (queue === undefined) throw new Error(`the destination ${arn} is not a queue that is here`);
    this.#authorize(
      configuration,
      [['sqs:SendMessage', arn]],
      `The function execution role does not have permissions to call SendMessage on ${arn}`,
    );
    return queue;
  }

  #deliveryPorts(): DeliveryPorts & { readonly onProgress: () => void } {
    const { clock, after, deliver, eventDelay = unchanged } = this.#ports;
    const onProgress = (): void => {
      this.#progress();
    };
    return { clock, after, deliver, eventDelay, onProgress };
  }

  /** Roles don't change once they are deployed, so that what is allowed at first is allowed later. */
  #authorize(
    configuration: FunctionConfiguration,
    calls: readonly (readonly [action: string, resource: string])[],
    refusal: string,
  ): void {
    try {
      for (const [action, resource] of calls) {
        this.#ports.authorize?.(configuration, action, resource);
      }
    } catch (error) {
      throw new Error(`${refusal} (${(error as Error).message})`, { cause: error });
    }
  }

  #progress(): void {
    if (this.#waiting.length === 0 || !this.isIdle) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function unchanged(milliseconds: number): number {
  return milliseconds;
}
