import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { clientSettings } from 'embedded-aws/aws/client_settings';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { ARRIVAL_FUNCTIONS, ArrivalStack } from '../support/arrival_stack.ts';
import { shelfReceipt } from '../support/shelf_receipts.ts';
import { runRedo, runStatus, shownRedo } from '../support/stack_commands.ts';
import { expectVerified } from '../support/verified_stack.ts';

// What Lambda gives up is put aside, counted, and taken up again by a command.

let stack: ArrivalStack;
let sqs: SQSClient;

beforeAll(async () => {
  stack = await ArrivalStack.arriving();
  sqs = new SQSClient(clientSettings(stack.local.aws));
});
afterEach(() => {
  stack.endFaults();
});
afterAll(async () => {
  sqs.destroy();
  await stack.close();
});

const image = (n: number): string => `6f2504e0-4f89-41d3-9a0c-${String(n).padStart(12, '0')}`;
let images = 0;
let image_id: string;

beforeEach(() => {
  images++;
  image_id = image(images);
});

async function statuses(): Promise<unknown[]> {
  const rows = (await stack.rows()).filter(({ PK }) => PK === `IMAGE#${image_id}`);
  return [...new Set(rows.flatMap((row) => row['embedding_status'] ?? []))];
}

function failedQueue(): string {
  const { failed_arrivals_queue_url: url } = stack.local.aws.deployment.outputs;
  return String(url);
}

async function failed(): Promise<number> {
  const { arrivals } = (await runStatus(stack, '--no-entities')) as {
    readonly arrivals: { readonly failed: number };
  };
  return arrivals.failed;
}

it.each([
  ['the stream’s records', ARRIVAL_FUNCTIONS.note, 'UpdateItem'],
  ['the queue’s messages', ARRIVAL_FUNCTIONS.start, 'StartExecution'],
])(
  '%s that fail again and again are put aside, the rest goes on, and they are done by redo',
  async (_, name, operation) => {
    stack.breakAws({
      when: (request) => request.functionName === name && request.operation === operation,
      status: 400,
      code: 'AccessDeniedException',
    });
    await stack.load([shelfReceipt(image_id, 'OAT MILK 3.99')]);
    expect(await stack.settle()).toStrictEqual([]);
    expect(await statuses()).toStrictEqual(['NONE']);
    const messages = await failed();
    expect(messages).toBeGreaterThan(0);
    stack.endFaults();

    const dry = await shownRedo(stack, ['arrivals', '--dry-run']);
    expect(dry.stdout).toContain('A dry run: nothing was changed.');
    expect(await failed()).toBe(messages);

    const redone = await runRedo(stack, 'arrivals');
    expect(redone).toMatchObject({ what: 'arrivals', messages, expired: 0, left: 0 });

    await stack.settle();
    expect(await statuses()).toStrictEqual(['SUCCESS']);
    expect(await failed()).toBe(0);
    await expectVerified(stack);
    expect((await shownRedo(stack, ['arrivals'])).stdout).toContain(
      'Nothing that arrived has failed.',
    );
  },
);

it('records that the stream has no more are found by a full run, which redo starts', async () => {
  const QueueUrl = failedQueue();
  const mapping = stack.local.aws.eventSources.all.find(
    ({ configuration }) => configuration.functionName === ARRIVAL_FUNCTIONS.note,
  );
  const gone = {
    DDBStreamBatchInfo: {
      streamArn: mapping?.mapping.sourceArn,
      shardId: 'shardId-00000000000000000001-00000000',
      startSequenceNumber: '100000000000000000001',
      endSequenceNumber: '100000000000000000009',
    },
  };
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(gone) }));

  const refused = await shownRedo(stack, ['arrivals'], [true, false]);
  expect(refused.exit).toBe(1);
  expect(refused.questions).toStrictEqual([
    'Take them up again? [y/N] ',
    'Start a full run? [y/N] ',
  ]);
  expect(await stack.settle()).toStrictEqual([]);

  expect(await runRedo(stack, 'arrivals')).toMatchObject({ messages: 1, receipts: 0, expired: 1 });
  // An input without receipts: all of them.
  expect(await stack.settle()).toStrictEqual([[]]);
  expect(await failed()).toBe(0);
});

it('a message that nobody of ours has sent stays where it is', async () => {
  const QueueUrl = failedQueue();
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"hello":"world"}' }));
  const { exit, stdout } = await shownRedo(stack, ['arrivals', '--yes']);
  expect([exit, stdout]).toStrictEqual([
    1,
    expect.stringContaining('1 message stays: the command can be run again.'),
  ]);
});
