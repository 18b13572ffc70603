import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Row } from '../entities/row.ts';

/**
 * A row as DynamoDB answers it, as an object. Its numbers have up to 38 digits; they become the nearest double, where
 * the SDK by itself would refuse the row, and with it everything that was read with it.
 */
export function toRow(item: Record<string, AttributeValue>): Row {
  return unmarshall(item, { wrapNumbers: Number }) as Row;
}
