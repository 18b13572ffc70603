import { rowKey } from 'receipt-embedding/entities/keys';
import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ARRIVAL_FUNCTIONS, ArrivalStack } from '../support/arrival_stack.ts';
import { receiptRows } from 'receipts-cli/table/load_receipts';
import { shelfReceipt } from '../support/shelf_receipts.ts';
import { expectVerified } from '../support/verified_stack.ts';

// Not proved here: that AWS's stream and queue behave as the embedded ones, which are held to AWS's guides.

let stack: ArrivalStack;

beforeAll(async () => {
  stack = await ArrivalStack.arriving();
});
afterEach(() => {
  stack.endFaults();
});
afterAll(() => stack.close());

let images = 0;

/** A receipt that no other test has. */
function newReceipt(...texts: readonly string[]): SyntheticReceipt & { readonly image_id: string } {
  images++;
  const image_id = `5f2504e0-4f89-41d3-9a0c-${String(images).padStart(12, '0')}`;
  return { image_id, ...shelfReceipt(image_id, ...texts) };
}

const named = ({ image_id }: { readonly image_id: string }) => ({ image_id, receipt_id: 1 });

const lineKey = ({ image_id }: { readonly image_id: string }, at: number) =>
  rowKey(image_id, `IMAGE#${image_id}#RECEIPT#00001#LINE#${String(at).padStart(5, '0')}`);

/** A receipt that has arrived and is embedded. */
async function embedded(...texts: readonly string[]): Promise<ReturnType<typeof newReceipt>> {
  const receipt = newReceipt(...texts);
  await stack.load([receipt]);
  expect(await stack.settle()).toStrictEqual([[named(receipt)]]);
  stack.counted();
  return receipt;
}

async function statuses({ image_id }: { readonly image_id: string }): Promise<unknown[]> {
  const rows = (await stack.rows()).filter(({ PK }) => PK === `IMAGE#${image_id}`);
  return [...new Set(rows.flatMap((row) => row['embedding_status'] ?? []))];
}

describe('a receipt that arrives', () => {
  it('row by row, is embedded once, after its last row', async () => {
    const receipt = newReceipt('OAT MILK 3.99', 'TOTAL 3.99');
    const letGo = stack.holdQueue();
    for (const row of receiptRows([receipt])) {
      await stack.put(row);
      await stack.local.aws.eventSources.idle();
    }
    letGo();

    const [executions, requests] = await stack.countingRequests(() => stack.settle());

    expect(executions).toStrictEqual([[named(receipt)]]);
    expect(requests).toBe(1);
    expect(await statuses(receipt)).toStrictEqual(['SUCCESS']);
    await expectVerified(stack);
  });

  it('with others, is embedded with them in few executions', async () => {
    const receipts = Array.from({ length: 30 }, (_, at) => newReceipt(`ITEM ${at}`));
    const letGo = stack.holdQueue();
    await stack.load(receipts);
    await stack.local.aws.eventSources.idle();
    letGo();

    const executions = await stack.settle();

    expect(executions).toHaveLength(1);
    expect(new Set(executions.flat().map(({ image_id }) => image_id))).toStrictEqual(
      new Set(receipts.map(({ image_id }) => image_id)),
    );
  });

  it('wakes nobody by being embedded: what a run writes is read, and starts nothing', async () => {
    const receipt = newReceipt('OAT MILK 3.99');
    stack.counted();
    await stack.load([receipt]);

    expect(await stack.settle()).toHaveLength(1);

    // A line, three words, a label, the merchant; and the statuses of the line and of the words.
    expect(stack.counted()).toStrictEqual({ records: 10, own_records: 4, receipts: 1 });
  });
});

describe('a receipt that is embedded', () => {
  it('follows an edit, a label and a delete, and asks OpenAI for what is new alone', async () => {
    const receipt = await embedded('OAT MILK 3.99', 'TOTAL 3.99');
    const label = rowKey(
      receipt.image_id,
      `IMAGE#${receipt.image_id}#RECEIPT#00001#LINE#00001#WORD#00002#LABEL#PRODUCT_NAME`,
    );
    const changes: readonly [string, () => Promise<void>, number][] = [
      ['a label', () => stack.update(label, { validation_status: 'INVALID' }), 0],
      ['an edit', () => stack.update(lineKey(receipt, 2), { text: 'TOTAL 4.99' }), 1],
      ['a delete', () => stack.delete(lineKey(receipt, 2)), 0],
    ];
    for (const [what, change, expected] of changes) {
      const [executions, requests] = await stack.countingRequests(async () => {
        await change();
        return await stack.settle();
      });
      expect([what, executions, requests]).toStrictEqual([what, [[named(receipt)]], expected]);
      await expectVerified(stack);
    }
  });

  it('and is deleted, is in no store', async () => {
    const receipt = await embedded('RYE BREAD 4.50');
    const rows = (await stack.rows()).filter(
      ({ PK, TYPE }) => PK === `IMAGE#${receipt.image_id}` && TYPE !== 'COMPACTION_RUN',
    );
    for (const row of rows) await stack.delete(row);

    expect((await stack.settle()).flat()).toContainEqual(named(receipt));

    await expectVerified(stack);
  });

  it('is left alone by a status that somebody sets, and by an image’s other rows', async () => {
    const receipt = await embedded('HONEY 6.00');
    await stack.update(lineKey(receipt, 1), {
      embedding_status: 'NONE',
      GSI1PK: 'EMBEDDING_STATUS#NONE',
    });
    const PK = `IMAGE#${receipt.image_id}`;
    await stack.put({ PK, SK: 'RECEIPT#00001#LETTER#00001', TYPE: 'RECEIPT_LETTER' });

    expect(await stack.settle()).toStrictEqual([]);
    expect(stack.counted()).toStrictEqual({ records: 1, own_records: 1, receipts: 0 });
    await stack.run({ receipts: [named(receipt)] });
    await stack.settle();
  });

  it('changes while it waits, and waits on', async () => {
    const receipt = await embedded('EGGS 5.10');
    const letGo = stack.holdQueue();
    for (const text of ['EGGS 5.20', 'EGGS 5.30', 'EGGS 5.40']) {
      await stack.update(lineKey(receipt, 1), { text });
      await stack.local.aws.eventSources.idle();
    }
    letGo();
    const [executions, requests] = await stack.countingRequests(() => stack.settle());
    expect([executions, requests]).toStrictEqual([[[named(receipt)]], 1]);
  });
});

describe('what goes wrong', () => {
  const { note, start } = ARRIVAL_FUNCTIONS;
  const of = (functionName: string) => (invocation: { readonly functionName: string }) =>
    invocation.functionName === functionName;

  async function expectArrives(): Promise<void> {
    const [receipt, other] = [newReceipt('OAT MILK 3.99'), newReceipt('BARISTA MILK 4.19')];
    // However slow the machine is, no receipt is quiet before its last row.
    const letGo = stack.holdQueue();
    await stack.load([receipt, other]);
    await stack.local.aws.eventSources.idle();
    letGo();
    const [executions, requests] = await stack.countingRequests(() => stack.settle());
    expect(executions.length).toBeGreaterThan(0);
    expect(await statuses(receipt)).toStrictEqual(['SUCCESS']);
    expect(await statuses(other)).toStrictEqual(['SUCCESS']);
    // Each line and its words together, once, however often their receipt was named.
    expect(requests).toBe(2);
  }

  it('with a row whose key can’t be read, keeps no other from being embedded, and is told with its key', async () => {
    stack.counted();
    const poisoned = { PK: 'IMAGE#no-uuid', SK: 'RECEIPT#00001#LINE#00001', TYPE: 'RECEIPT_LINE' };
    await stack.put(poisoned);
    await stack.settle();
    expect(stack.logs.join('\n')).toContain('"key":{"PK":"IMAGE#no-uuid"');
    await expectArrives();
    await stack.delete(poisoned);
    await stack.settle();
  });

  it.each([note, start])('with %s refused by Lambda for a while, is waited out', async (name) => {
    const undo = stack.local.aws.invocations.fault({
      when: of(name),
      refuse: 'TooManyRequestsException',
      times: 3,
    });
    await expectArrives();
    undo();
  });

  it.each([
    [note, 'dynamodb', 'UpdateItem', 'before'],
    [note, 'dynamodb', 'UpdateItem', 'after'],
    [note, 'sqs', 'SendMessage', 'before'],
    [note, 'sqs', 'SendMessage', 'after'],
    [start, 'dynamodb', 'BatchGetItem', 'after'],
    [start, 'states', 'StartExecution', 'before'],
    [start, 'states', 'StartExecution', 'after'],
    [start, 'dynamodb', 'DeleteItem', 'before'],
    [start, 'dynamodb', 'DeleteItem', 'after'],
  ] as const)(
    'with %s killed at %s %s, %s it is done, loses and doubles nothing',
    async (name, service, operation, moment) => {
      stack.breakAws({
        when: (request) =>
          request.functionName === name &&
          request.service === service &&
          request.operation === operation,
        kill: true,
        moment,
        times: 1,
      });
      await expectArrives();
    },
  );

  it.each([0, 2, 5])(
    'with records that come twice, from %d before them, is embedded once',
    async (redeliver) => {
      const undo = stack.local.aws.invocations.fault({ when: of(note), redeliver, times: 4 });
      await expectArrives();
      undo();
    },
  );

  it('with messages that come twice, is embedded once', async () => {
    const undo = stack.local.aws.invocations.fault({ when: of(start), redeliver: 0, times: 2 });
    await expectArrives();
    undo();
  });

  it.each(['at once', 'at the end'] as const)(
    'with the functions’ answers lost %s, is embedded once',
    async (loseAnswer) => {
      const undo = [note, start].map((name) =>
        stack.local.aws.invocations.fault({ when: of(name), loseAnswer, times: 1 }),
      );
      await expectArrives();
      for (const end of undo) end();
    },
  );

  it('with a throttled table and a throttled queue, is waited out', async () => {
    stack.breakAws({
      when: ({ functionName, operation }) =>
        functionName === note && (operation === 'UpdateItem' || operation === 'SendMessage'),
      status: 400,
      code: 'ThrottlingException',
      times: 9,
    });
    await expectArrives();
  });

  it('is not to be seen in the end: table, records, log and stores say the same', async () => {
    await expectVerified(stack);
    expect((await stack.rows()).filter(({ SK }) => SK === 'ARRIVAL')).toStrictEqual([]);
  });
});
