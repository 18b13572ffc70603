import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { clientOptions, ofTheLayer, SMALL_ANSWER } from '../aws_clients.ts';
import { receiptIdentitySchema } from '../entities/keys.ts';
import { InvalidRequest } from '../errors.ts';
import { parseJson } from '../local_files.ts';
import { RETRY_POLICIES, retrying, type RetryPorts } from '../retry.ts';
import type { LatestChange } from '../table/latest_changes.ts';

/** The queue in which receipts wait until they are quiet: it delays each message by that time. */
export interface ArrivalQueue {
  readonly client: SQSClient;
  readonly url: string;
}

/** A client of SQS. @see createDynamoDBClient */
export function createSqsClient(region?: string): SQSClient {
  return ofTheLayer(new SQSClient(clientOptions(SMALL_ANSWER, region)));
}

/** One takes some 130 bytes, so that this many are half of the 256 KiB that SQS takes in every region. */
const MOST_IN_MESSAGE = 1_000;

const messageSchema = z.strictObject({
  receipts: z
    .array(
      z.strictObject({
        ...receiptIdentitySchema.shape,
        change: z.string().regex(/^\d{40}$/),
      }),
    )
    .min(1)
    .max(MOST_IN_MESSAGE),
});

/**
 * Sends receipts to the queue, a thousand a message.
 *
 * @throws RateLimited, UpstreamUnavailable when tries are used up; InvalidConfiguration.
 */
export async function sendArrivals(
  { client, url }: ArrivalQueue,
  receipts: readonly LatestChange[],
  ports?: RetryPorts,
): Promise<void> {
  for (let at = 0; at < receipts.length; at += MOST_IN_MESSAGE) {
    const part = receipts
      .slice(at, at + MOST_IN_MESSAGE)
      .map(({ image_id, receipt_id, change }) => ({ image_id, receipt_id, change }));
    const command = new SendMessageCommand({
      QueueUrl: url,
      MessageBody: JSON.stringify({ receipts: part } satisfies z.input<typeof messageSchema>),
    });
    await retrying(RETRY_POLICIES.sqs, () => client.send(command), ports);
  }
}

/**
 * The receipts of a message.
 *
 * @throws InvalidRequest for a message that is none of ours; what it says is not quoted.
 */
export function readArrivals(body: string): readonly LatestChange[] {
  const parsed = messageSchema.safeParse(parseJson(body));
  if (parsed.success) return parsed.data.receipts;
  throw new InvalidRequest('the message does not name receipts that have changed');
}
