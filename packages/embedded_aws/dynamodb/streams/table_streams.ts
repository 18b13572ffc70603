import { createHash } from 'node:crypto';
import type { Item, TableDefinition } from 'dynalite/db/index.js';
import { Shard } from './shard.ts';
import { STREAM_LABEL, streamArn } from './stream_arn.ts';
import { isUnchanged, streamRecord, type StreamViewType } from './stream_record.ts';

/** A table's stream. */
export interface TableStream {
  readonly arn: string;
  readonly label: string;
  readonly viewType: StreamViewType;
  readonly table: TableDefinition;
  readonly createdAt: Date;
  readonly shards: readonly Shard[];
}

export interface StreamPorts {
  readonly region: string;
  readonly accountId: string;
  readonly clock: () => Date;
  /** A UUID that was not given before. */
  readonly newId: () => string;
}

/** A shard for each partition: a new table that is paid by request serves 4,000 writes a second, and a partition 1,000. */
const SHARDS = 4;

/** AWS's sequence numbers have 21 to 40 digits (API reference of StreamRecord). */
const FIRST_SEQUENCE_NUMBER = 100_000_000_000_000_000_000_000n;

/** The streams of all tables that have one. */
export class TableStreams {
  readonly #ports: StreamPorts;
  readonly #byArn = new Map<string, TableStream>();
  readonly #byTable = new Map<string, TableStream>();
  #written = 0n;

  constructor(ports: StreamPorts) {
    this.#ports = ports;
  }

  get all(): readonly TableStream[] {
    return [...this.#byArn.values()];
  }

  find(arn: string): TableStream | undefined {
    return this.#byArn.get(arn);
  }

  arnOf(table: string): string {
    return streamArn(table, this.#ports);
  }

  create(table: TableDefinition, viewType: StreamViewType): void {
    const { clock } = this.#ports;
    const arn = this.arnOf(table.TableName);
    const stream: TableStream = {
      arn,
      label: STREAM_LABEL,
      viewType,
      table,
      createdAt: clock(),
      shards: Array.from({ length: SHARDS }, (_, at) => new Shard(shardId(arn, at), clock)),
    };
    this.#byArn.set(arn, stream);
    this.#byTable.set(table.TableName, stream);
  }

  /** Records a write of a table that has a stream. */
  record(
    table: TableDefinition,
    before: Item | null | undefined,
    after: Item | null | undefined,
  ): void {
    const stream = this.#byTable.get(table.TableName);
    const change = { before: before ?? undefined, after: after ?? undefined };
    if (stream === undefined || isUnchanged(change)) return;
    const { region, clock, newId } = this.#ports;
    this.#written++;
    const time = clock();
    const record = streamRecord(change, {
      region,
      table,
      viewType: stream.viewType,
      sequenceNumber: String(FIRST_SEQUENCE_NUMBER + this.#written),
      eventId: newId().replaceAll('-', ''),
      time,
    });
    const [hashKey] = table.KeySchema;
    const keyHash = hashOf(JSON.stringify(record.dynamodb.Keys[hashKey?.AttributeName ?? '']));
    const entry = { record, time: time.getTime(), keyHash: Math.floor(keyHash / SHARDS) };
    stream.shards[keyHash % SHARDS]?.append(entry);
  }
}

function shardId(arn: string, at: number): string {
  const digest = createHash('md5').update(`${arn} ${at}`).digest('hex');
  return `shardId-${String(at + 1).padStart(20, '0')}-${digest.slice(0, 8)}`;
}

function hashOf(text: string): number {
  return createHash('md5').update(text).digest().readUInt32BE();
}
