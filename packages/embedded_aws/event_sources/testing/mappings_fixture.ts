import type { TableDefinition } from 'dynalite/db/index.js';
import { onTestFinished } from 'vitest';
import { TableStreams } from '../../dynamodb/streams/table_streams.ts';
import type { StreamRecord } from '../../dynamodb/streams/stream_record.ts';
import type { Delivery } from '../../lambda/invocations.ts';
import type { Queue, QueueSettings } from '../../sqs/queue.ts';
import { SqsStandIn } from '../../sqs/sqs_stand_in.ts';
import { SteeredTime } from '../../testing/steered_time.ts';
import { EventSourceMappings } from '../event_source_mappings.ts';
import type { MappingArgs } from '../mapping_settings.ts';

const HOME = { region: 'us-east-1', accountId: '000000000000' };
const TABLE: TableDefinition = {
  TableName: 'rows',
  TableStatus: 'ACTIVE',
  KeySchema: [{ AttributeName: 'PK' }, { AttributeName: 'SK' }],
};

/** What a function answers, or the error that its invocation ends with. */
export type Answer = (batch: readonly string[], invocation: number) => unknown;

export const THROTTLED = Object.assign(new Error('throttled'), {
  name: 'Lambda.TooManyRequestsException',
});
/** Given as an answer: what a function throws. */
export const FAILED = new Error('failed');

/** Marks an answer that is given again with so many records before it. */
export const redelivered = (redeliver: number): Delivery => ({ payload: {}, redeliver });

interface Event {
  readonly Records: readonly Partial<StreamRecord & { body: string; messageId: string }>[];
}

/**
 * Mappings of a stream or a queue whose time is steered, and whose function is the test's: it sees of a batch the sort keys of its
 * rows, or the bodies of its messages.
 */
export function startMappings(answer: Answer = () => ({})) {
  const time = new SteeredTime();
  let ids = 0;
  const ports = { ...HOME, clock: time.clock, after: time.after, newId: () => `id-${++ids}` };
  const streams = new TableStreams(ports);
  streams.create(TABLE, 'NEW_IMAGE');
  const sqs = new SqsStandIn({ ...ports, url: 'http://localhost' });
  /** The batches, in the order in which they came to the function. */
  const batches: string[] = [];
  const events: Event[] = [];
  const mappings = new EventSourceMappings({
    ...ports,
    findStream: (arn) => streams.find(arn),
    findQueue: (arn) => sqs.queueOf(arn),
    findFunction: (functionName) =>
      functionName === 'work'
        ? {
            functionName,
            functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:work',
            roleArn: 'role',
            handlerFile: '',
            exportName: '',
            memorySize: 128,
            timeout: 30,
            environment: {},
          }
        : undefined,
    deliver: async (_functionArn, _sourceArn, event) => {
      const { Records } = event as Event;
      events.push(event as Event);
      const batch = Records.map(({ dynamodb, body }) => body ?? dynamodb?.Keys['SK']?.S ?? '');
      batches.push(batch.join(' '));
      const given = await answer(batch, batches.length);
      if (given === FAILED) return { payload: {}, functionError: 'Unhandled' };
      if (given instanceof Error) throw given;
      const delivery = given as Partial<Delivery> | null;
      return delivery?.redeliver === undefined ? { payload: given } : (delivery as Delivery);
    },
  });
  onTestFinished(() => {
    mappings.close();
    sqs.close();
  });
  const streamArn = streams.arnOf('rows');
  const add = (args: Partial<MappingArgs>): void => {
    const uuid = `mapping-${mappings.all.length}`;
    mappings.create({ uuid, arn: uuid, eventSourceArn: streamArn, functionName: 'work', ...args });
  };
  return {
    ...{ time, streams, streamArn, sqs, mappings, batches, events, add },
    /** Maps the stream to the function. */
    mapStream: (args: Partial<MappingArgs> = {}): void => {
      add({ startingPosition: 'TRIM_HORIZON', ...args });
    },
    /** Makes a queue. */
    queue: (name: string, changes: Partial<QueueSettings> = {}): Queue =>
      sqs.createQueue({
        ...{ name, delay: 0, visibilityTimeout: 30, retention: 345_600, receiveWait: 0 },
        encrypted: true,
        ...changes,
      }),
    /** Writes rows of one hash key. */
    write: (sortKeys: string, PK = 'one'): void => {
      for (const SK of sortKeys.split(' ')) {
        streams.record(TABLE, undefined, { PK: { S: PK }, SK: { S: SK } });
      }
    },
    sequenceNumbers: (): readonly (string | undefined)[] =>
      events.at(-1)?.Records.map(({ dynamodb }) => dynamodb?.SequenceNumber) ?? [],
  };
}
