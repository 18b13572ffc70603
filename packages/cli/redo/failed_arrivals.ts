import {
  type _Record as StreamRecord,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import type { SFNClient } from '@aws-sdk/client-sfn';
import {
  ChangeMessageVisibilityCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { createSqsClient, readArrivals } from 'receipt-embedding/arrivals/arrival_queue';
import { changeOf, streamRecordSchema } from 'receipt-embedding/arrivals/changed_receipts';
import { createStepFunctionsClient } from 'receipt-embedding/executions';
import { parseJson } from 'receipt-embedding/local_files';
import type { LatestChange } from 'receipt-embedding/table/latest_changes';
import { z } from 'zod';

/** What arrivals are taken up again with, of one region. */
export interface ArrivalClients {
  readonly sqs: SQSClient;
  readonly streams: DynamoDBStreamsClient;
  readonly sfn: SFNClient;
}

/** @param region undefined: the environment's. */
export function createArrivalClients(region: string | undefined): ArrivalClients {
  return {
    sqs: createSqsClient(region),
    streams: new DynamoDBStreamsClient(region === undefined ? {} : { region }),
    sfn: createStepFunctionsClient(region),
  };
}

/** What Lambda says of records that it gave up (its guide, "Capturing discarded batches"): where they are in the stream. */
const streamPartSchema = z.object({
  DDBStreamBatchInfo: z.object({
    streamArn: z.string(),
    shardId: z.string(),
    startSequenceNumber: z.string(),
    endSequenceNumber: z.string(),
  }),
});

export type StreamPart = z.output<typeof streamPartSchema>['DDBStreamBatchInfo'];

/** A message of the queue of what failed. */
export interface FailedArrival {
  readonly id: string;
  /** With which it can be deleted. */
  readonly handle: string;
  /** Undefined where it is none of those that are put there. */
  readonly content: StreamPart | { readonly receipts: readonly LatestChange[] } | undefined;
}

/** How long nobody else sees a message that is taken up, seconds: the stream's part of it has to be read meanwhile. */
const TAKEN_SECONDS = 600;

/** The queue of what failed: each of its messages once. */
export function failedArrivals(
  sqs: SQSClient,
  QueueUrl: string,
): {
  readonly all: () => AsyncGenerator<FailedArrival>;
  /** Lets the next one take it who asks. */
  readonly giveBack: (message: FailedArrival) => Promise<unknown>;
} {
  return {
    giveBack: ({ handle: ReceiptHandle }) =>
      sqs.send(
        new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }),
      ),
    all: async function* () {
      const seen = new Set<string>();
      for (;;) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: 10,
            VisibilityTimeout: TAKEN_SECONDS,
            WaitTimeSeconds: 1,
          }),
        );
        const fresh = Messages.filter(({ MessageId = '' }) => !seen.has(MessageId));
        if (fresh.length === 0) return;
        for (const { MessageId: id = '', ReceiptHandle: handle = '', Body: body = '' } of fresh) {
          seen.add(id);
          yield { id, handle, content: contentOf(body) };
        }
      }
    },
  };
}

function contentOf(body: string): FailedArrival['content'] {
  const part = streamPartSchema.safeParse(parseJson(body));
  if (part.success) return part.data.DDBStreamBatchInfo;
  try {
    return { receipts: readArrivals(body) };
  } catch {
    return undefined;
  }
}

/** The stream has the record no more, or the shard, or there is another stream by now. */
const GONE = ['TrimmedDataAccessException', 'ResourceNotFoundException'];

/** A page may be empty although records follow; the last record of a part is there as long as the first is. */
const MOST_EMPTY_PAGES = 100;

/** The records of a part of the stream; undefined where it has them no more. */
export async function readStreamPart(
  streams: DynamoDBStreamsClient,
  { streamArn, shardId, startSequenceNumber, endSequenceNumber }: StreamPart,
): Promise<z.output<typeof streamRecordSchema>[] | undefined> {
  const records: z.output<typeof streamRecordSchema>[] = [];
  const last = changeOf(endSequenceNumber);
  try {
    let { ShardIterator: next } = await streams.send(
      new GetShardIteratorCommand({
        StreamArn: streamArn,
        ShardId: shardId,
        ShardIteratorType: 'AT_SEQUENCE_NUMBER',
        SequenceNumber: startSequenceNumber,
      }),
    );
    let empty = 0;
    while (next !== undefined && empty < MOST_EMPTY_PAGES) {
      const page = await streams.send(new GetRecordsCommand({ ShardIterator: next }));
      const read = (page.Records ?? []).map((record: StreamRecord) =>
        streamRecordSchema.parse(record),
      );
      records.push(...read.filter(({ dynamodb }) => changeOf(dynamodb.SequenceNumber) <= last));
      const newest = read.at(-1)?.dynamodb.SequenceNumber;
      if (newest !== undefined && changeOf(newest) >= last) return records;
      empty = read.length === 0 ? empty + 1 : 0;
      next = page.NextShardIterator;
    }
    return undefined;
  } catch (error) {
    if (error instanceof Error && GONE.includes(error.name)) return undefined;
    throw error;
  }
}
