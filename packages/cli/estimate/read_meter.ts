import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** What a client has read. */
export interface ReadMeter {
  /** Rows that DynamoDB has gone through. */
  readonly rows: number;
  /** Read request units, as DynamoDB itself counts them. */
  readonly units: number;
}

interface QueryAnswer {
  readonly ScannedCount?: number;
  readonly ConsumedCapacity?: { readonly CapacityUnits?: number };
}

/** Lets DynamoDB say with each query of a client's what it has cost. */
export function meterQueries(client: DynamoDBClient): ReadMeter {
  const meter = { rows: 0, units: 0 };
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== 'QueryCommand') return await next(args);
        const result = await next({
          ...args,
          input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' },
        });
        const { ScannedCount = 0, ConsumedCapacity } = result.output as QueryAnswer;
        meter.rows += ScannedCount;
        meter.units += ConsumedCapacity?.CapacityUnits ?? 0;
        return result;
      },
    { step: 'initialize', name: 'meterQueries' },
  );
  return meter;
}
