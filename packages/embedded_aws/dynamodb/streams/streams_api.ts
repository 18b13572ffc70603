import { notImplemented } from '../../aws/faults.ts';
import { parseJsonObject } from '../../http/json_text.ts';
import type { Service, ServiceResponse } from '../../http/service.ts';
import type { Shard } from './shard.ts';
import type { StreamRecord } from './stream_record.ts';
import type { TableStream, TableStreams } from './table_streams.ts';

/** An error of the API: its type is what clients switch on. */
class StreamsError extends Error {
  override readonly name = 'StreamsError';
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

interface Request {
  readonly TableName?: string;
  readonly StreamArn?: string;
  readonly ShardId?: string;
  readonly ShardIteratorType?: string;
  readonly SequenceNumber?: string;
  readonly ShardIterator?: string;
  readonly ExclusiveStartStreamArn?: string;
  readonly ExclusiveStartShardId?: string;
  readonly ShardFilter?: object;
  readonly Limit?: number;
}

/** Streams or shards of one answer (API reference of ListStreams, DescribeStream). */
const MAX_PAGE = 100;
/** Records and bytes of one answer (API reference of GetRecords). */
const MAX_RECORDS = 1_000;
const MAX_RECORDS_BYTES = 1_024 * 1_024;
/** "A shard iterator expires 15 minutes after it is retrieved" (API reference of GetShardIterator). */
const ITERATOR_LIFE_MS = 15 * 60_000;

/** DynamoDB Streams' API, by the AWS JSON 1.0 protocol. */
export function streamsApi(streams: TableStreams, clock: () => Date): Service {
  const operations: Readonly<Record<string, (request: Request) => object>> = {
    ListStreams: (request) => listStreams(request, streams),
    DescribeStream: (request) => describeStream(request, knownStream(request, streams)),
    GetShardIterator: (request) => {
      const stream = knownStream(request, streams);
      const shard = knownShard(stream, request.ShardId);
      const position = startingPosition(shard, request);
      return { ShardIterator: iteratorText({ stream, shard, position, time: clock().getTime() }) };
    },
    GetRecords: (request) => getRecords(request, streams, clock().getTime()),
  };
  return (request) => {
    const [, name = ''] = String(request.headers['x-amz-target']).split('.');
    const operation = operations[name];
    if (operation === undefined) return Promise.resolve(notImplemented('dynamodb', name));
    return Promise.resolve(answered(() => operation(parsed(request.body))));
  };
}

function answered(perform: () => object): ServiceResponse {
  const headers = { 'content-type': 'application/x-amz-json-1.0' };
  try {
    return { status: 200, headers, body: JSON.stringify(perform()) };
  } catch (error) {
    if (!(error instanceof StreamsError)) throw error;
    const __type = `com.amazonaws.dynamodb.v20120810#${error.type}`;
    return { status: 400, headers, body: JSON.stringify({ __type, message: error.message }) };
  }
}

/** @throws StreamsError SerializationException */
function parsed(body: Buffer): Request {
  const value = parseJsonObject(body.toString());
  if (value !== undefined) return value;
  throw new StreamsError('SerializationException', 'The request is not a JSON object.');
}

function listStreams(request: Request, streams: TableStreams): object {
  const { TableName, ExclusiveStartStreamArn: after } = request;
  const all = streams.all
    .filter(({ table }) => TableName === undefined || table.TableName === TableName)
    .sort((a, b) => (a.arn < b.arn ? -1 : 1))
    .filter(({ arn }) => after === undefined || arn > after);
  const page = all.slice(0, limit(request, MAX_PAGE));
  return {
    Streams: page.map(({ arn, label, table }) => ({
      StreamArn: arn,
      StreamLabel: label,
      TableName: table.TableName,
    })),
    ...(page.length < all.length ? { LastEvaluatedStreamArn: page.at(-1)?.arn } : {}),
  };
}

function describeStream(request: Request, stream: TableStream): object {
  const { ExclusiveStartShardId: after = '', ShardFilter } = request;
  // A filter asks for a shard's children, and none has any: shards neither split nor close here.
  const all = ShardFilter === undefined ? stream.shards.filter(({ id }) => id > after) : [];
  const page = all.slice(0, limit(request, MAX_PAGE));
  return {
    StreamDescription: {
      StreamArn: stream.arn,
      StreamLabel: stream.label,
      StreamStatus: 'ENABLED',
      StreamViewType: stream.viewType,
      CreationRequestDateTime: stream.createdAt.getTime() / 1_000,
      TableName: stream.table.TableName,
      KeySchema: stream.table.KeySchema,
      Shards: page.map((shard) => ({
        ShardId: shard.id,
        SequenceNumberRange: { StartingSequenceNumber: firstSequenceNumber(shard) },
      })),
      ...(page.length < all.length ? { LastEvaluatedShardId: page.at(-1)?.id } : {}),
    },
  };
}

/** That of the oldest record that is kept. A shard without any has begun all the same. */
function firstSequenceNumber(shard: Shard): string {
  return shard.at(shard.start)?.record.dynamodb.SequenceNumber ?? '1'.padEnd(24, '0');
}

/** What an iterator says: where to read on. */
interface Place {
  readonly stream: TableStream;
  readonly shard: Shard;
  readonly position: number;
  /** When it was given out, epoch milliseconds. */
  readonly time: number;
}

function startingPosition(shard: Shard, request: Request): number {
  const { ShardIteratorType: type, SequenceNumber: number } = request;
  switch (type) {
    case 'TRIM_HORIZON':
      return shard.start;
    case 'LATEST':
      return shard.end;
    case 'AT_SEQUENCE_NUMBER':
    case 'AFTER_SEQUENCE_NUMBER': {
      if (number === undefined) {
        throw invalid(`SequenceNumber is required for the ShardIteratorType ${type}`);
      }
      if (!/^\d{21,40}$/.test(number)) throw invalid(`Invalid SequenceNumber: ${number}`);
      const position = shard.find(number);
      if (position !== undefined) return type === 'AT_SEQUENCE_NUMBER' ? position : position + 1;
      if (shard.firstAfter(number) === shard.start && shard.start > 0) throw trimmed();
      throw invalid(`SequenceNumber ${number} is not one of the shard ${shard.id}`);
    }
    default:
      throw invalid(
        `Value '${type}' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON]`,
      );
  }
}

function getRecords(request: Request, streams: TableStreams, now: number): object {
  const place = placeOf(request.ShardIterator, streams);
  const { shard, position, time } = place;
  if (now - time > ITERATOR_LIFE_MS) {
    throw new StreamsError('ExpiredIteratorException', 'Iterator expired.');
  }
  if (position < shard.start) throw trimmed();
  const most = limit(request, MAX_RECORDS);
  const Records: StreamRecord[] = [];
  let bytes = 0;
  for (let at = position; Records.length < most; at++) {
    const record = shard.at(at)?.record;
    bytes += record?.dynamodb.SizeBytes ?? 0;
    if (record === undefined || (bytes > MAX_RECORDS_BYTES && Records.length > 0)) break;
    Records.push(record);
  }
  const next = { ...place, position: position + Records.length, time: now };
  return { Records, NextShardIterator: iteratorText(next) };
}

function iteratorText({ stream, shard, position, time }: Place): string {
  const place = Buffer.from(JSON.stringify([shard.id, position, time])).toString('base64');
  return `${stream.arn}|1|${place}`;
}

/** @throws StreamsError ValidationException for an iterator that was not given out here. */
function placeOf(text: string | undefined, streams: TableStreams): Place {
  const [arn = '', , encoded = ''] = (text ?? '').split('|');
  const stream = streams.find(arn);
  try {
    const [shardId, position, time] = JSON.parse(
      Buffer.from(encoded, 'base64').toString(),
    ) as readonly [string, number, number];
    if (stream !== undefined) return { stream, shard: knownShard(stream, shardId), position, time };
  } catch {
    // It is answered below.
  }
  throw invalid('Invalid ShardIterator');
}

function knownStream({ StreamArn: arn }: Request, streams: TableStreams): TableStream {
  if (arn === undefined) throw invalid("Value null at 'streamArn' failed to satisfy constraint");
  const stream = streams.find(arn);
  if (stream !== undefined) return stream;
  throw notFound(`Stream: ${arn} not found`);
}

function knownShard({ shards, arn }: TableStream, id: string | undefined): Shard {
  const shard = shards.find((other) => other.id === id);
  if (shard !== undefined) return shard;
  throw notFound(`Shard: ${id} in Stream: ${arn} not found`);
}

function limit({ Limit = Infinity }: Request, most: number): number {
  if (Limit >= 1) return Math.min(Limit, most);
  throw invalid(
    `Value '${Limit}' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1`,
  );
}

function invalid(message: string): StreamsError {
  return new StreamsError('ValidationException', message);
}

function notFound(message: string): StreamsError {
  return new StreamsError('ResourceNotFoundException', `Requested resource not found: ${message}`);
}

function trimmed(): StreamsError {
  return new StreamsError(
    'TrimmedDataAccessException',
    'The operation attempted to read past the oldest stream record in a shard.',
  );
}
