import type { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { arrivalsSection } from './arrivals.ts';

const OUTPUTS = {
  arrivals_queue_url: 'https://sqs/arrivals',
  failed_arrivals_queue_url: 'https://sqs/failed',
};

/** The section of a stack whose queues have so many messages: visible, delayed, taken. */
async function sectionOf(waiting: readonly number[], failed: readonly number[]) {
  return await arrivalsSection({
    outputs: OUTPUTS,
    openQueues: () =>
      Promise.resolve({
        send: ({ input }: GetQueueAttributesCommand) => {
          const counts = input.QueueUrl === OUTPUTS.arrivals_queue_url ? waiting : failed;
          const [visible = 0, delayed = 0, taken = 0] = counts;
          return Promise.resolve({
            Attributes: {
              ApproximateNumberOfMessages: String(visible),
              ApproximateNumberOfMessagesDelayed: String(delayed),
              ApproximateNumberOfMessagesNotVisible: String(taken),
            },
          });
        },
      } as never),
  });
}

describe('the arrivals of a stack', () => {
  it('are counted: what waits, is taken up, has failed; and what does the last again', async () => {
    expect(await sectionOf([2, 30, 4], [1, 0, 0])).toStrictEqual({
      data: { waiting: 32, under_way: 4, failed: 1 },
      lines: [
        'Arrivals, in messages of one receipt or more',
        '  32 wait until their receipts are quiet, 4 are being taken up, 1 failed',
        '  Nothing does 1 message again by itself: npx receipts redo arrivals',
      ],
    });
  });

  it('are none where nothing waits, and where the stack embeds nothing by itself', async () => {
    expect((await sectionOf([], [])).lines).toStrictEqual([
      'Arrivals',
      '  none wait: what has changed in the table is embedded',
    ]);
    const none = await arrivalsSection({
      outputs: {},
      openQueues: () => Promise.reject(new Error('it has no queues')),
    });
    expect(none).toStrictEqual({ data: null, lines: [] });
  });
});
