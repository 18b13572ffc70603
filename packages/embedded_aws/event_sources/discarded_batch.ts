import type { ShardEntry } from '../dynamodb/streams/shard.ts';

/** Why Lambda gives a batch up. */
export type Condition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded';

export interface DiscardedBatch {
  readonly entries: readonly ShardEntry[];
  readonly condition: Condition;
  /** How often the function has had it. */
  readonly invocations: number;
  readonly functionArn: string;
  readonly streamArn: string;
  readonly shardId: string;
  readonly requestId: string;
  readonly time: Date;
}

/**
 * What an on-failure destination is sent of a batch of a stream ("Retaining discarded batches for a DynamoDB event source"): where
 * its records are, not the records themselves.
 */
export function discardedBatch({ entries, ...batch }: DiscardedBatch): string {
  const first = entries[0];
  const last = entries.at(-1);
  const arrival = (entry: ShardEntry | undefined): string =>
    new Date(entry?.time ?? 0).toISOString().replace(/\.\d{3}Z$/, 'Z');
  return JSON.stringify({
    requestContext: {
      requestId: batch.requestId,
      functionArn: batch.functionArn,
      condition: batch.condition,
      approximateInvokeCount: batch.invocations,
    },
    // A batch that was too old before its first try has no answer.
    ...(batch.invocations === 0
      ? {}
      : {
          responseContext: {
            statusCode: 200,
            executedVersion: '$LATEST',
            functionError: 'Unhandled',
          },
        }),
    version: '1.0',
    timestamp: batch.time.toISOString(),
    DDBStreamBatchInfo: {
      shardId: batch.shardId,
      startSequenceNumber: first?.record.dynamodb.SequenceNumber,
      endSequenceNumber: last?.record.dynamodb.SequenceNumber,
      approximateArrivalOfFirstRecord: arrival(first),
      approximateArrivalOfLastRecord: arrival(last),
      batchSize: entries.length,
      streamArn: batch.streamArn,
    },
  });
}
