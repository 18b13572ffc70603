import { type ReceiptIdentity, receiptPath } from 'receipt-embedding/entities/keys';
import type { LatestChange } from 'receipt-embedding/table/latest_changes';
import { describe, expect, it } from 'vitest';
import { rejection } from '../../tests/support/rejection.ts';
import { startArrivals } from './start_arrivals.ts';

const IMAGE = '3f52804b-2fad-4e00-92c8-b593da3a8ed3';
const arrived = (receipt_id: number, change: number): LatestChange => ({
  image_id: IMAGE,
  receipt_id,
  change: String(change).padStart(40, '0'),
});
const named = (...ids: number[]): ReceiptIdentity[] =>
  ids.map((receipt_id) => ({ image_id: IMAGE, receipt_id }));

const message = (messageId: string, ...receipts: LatestChange[]) => ({
  messageId,
  body: JSON.stringify({ receipts }),
});

/** What the table has noted, which starts take away. */
function world(...noted: LatestChange[]) {
  const notes = new Map(noted.map((note) => [receiptPath(note), note.change]));
  const starts: { readonly name: string; readonly receipts: readonly ReceiptIdentity[] }[] = [];
  const logged: unknown[] = [];
  const start = (...messages: Parameters<typeof startArrivals>[0]) =>
    startArrivals(messages, {
      latestChanges: (receipts) =>
        Promise.resolve(
          new Map(
            receipts.flatMap((receipt) => {
              const change = notes.get(receiptPath(receipt));
              return change === undefined ? [] : [[receiptPath(receipt), change]];
            }),
          ),
        ),
      start: (name, receipts) => {
        starts.push({ name, receipts });
        return Promise.resolve();
      },
      forget: (receipt) => {
        if (notes.get(receiptPath(receipt)) === receipt.change) notes.delete(receiptPath(receipt));
        return Promise.resolve();
      },
      logger: { info: () => undefined, warn: (_message, fields) => logged.push(fields) },
    });
  return { start, starts, notes, logged };
}

describe('receipts that have waited', () => {
  it('of all messages are started together, and are not waited for any more', async () => {
    const { start, starts, notes } = world(arrived(1, 5), arrived(2, 7));
    const answer = await start(message('a', arrived(2, 7)), message('b', arrived(1, 5)));
    expect(answer).toStrictEqual({ started: 2, executions: 1, unreadable: [] });
    expect(starts.map(({ receipts }) => receipts)).toStrictEqual([named(1, 2)]);
    expect([...notes]).toStrictEqual([]);
  });

  it('that have changed again are left to the message of that change', async () => {
    const { start, starts, notes } = world(arrived(1, 6), arrived(2, 7));
    await start(message('a', arrived(1, 5), arrived(2, 7)));
    expect(starts.map(({ receipts }) => receipts)).toStrictEqual([named(2)]);
    expect([...notes.values()]).toStrictEqual([arrived(1, 6).change]);
  });

  it('are started by their newest message once, whatever the order', async () => {
    const { start, starts } = world(arrived(1, 6));
    await start(message('a', arrived(1, 6)), message('b', arrived(1, 5)));
    expect(starts.map(({ receipts }) => receipts)).toStrictEqual([named(1)]);
  });

  it('whose message comes again start nothing', async () => {
    const { start, starts } = world(arrived(1, 5));
    await start(message('a', arrived(1, 5)));
    expect(await start(message('a', arrived(1, 5)))).toMatchObject({ started: 0, executions: 0 });
    expect(starts).toHaveLength(1);
  });

  it('whose note is older than their message are started: that note came late', async () => {
    const { start, starts } = world(arrived(1, 4));
    await start(message('a', arrived(1, 5)));
    expect(starts).toHaveLength(1);
  });

  it('are a thousand an execution', async () => {
    const all = Array.from({ length: 1_001 }, (_, at) => arrived(at + 1, 5));
    const { start, starts } = world(...all);
    const answer = await start(message('a', ...all.slice(0, 600)), message('b', ...all.slice(600)));
    expect(answer).toStrictEqual({ started: 1_001, executions: 2, unreadable: [] });
    expect(starts.map(({ receipts }) => receipts.length)).toStrictEqual([1_000, 1]);
  });

  it('name their execution by what has changed, so that the same is started once', async () => {
    const names = async (...changes: LatestChange[]): Promise<string[]> => {
      const { start, starts } = world(...changes);
      await start(...changes.map((change) => message('a', change)));
      return starts.map(({ name }) => name);
    };
    const [name] = await names(arrived(1, 5), arrived(2, 7));
    expect(name).toMatch(/^arrivals-[0-9a-f-]{36}$/);
    expect(await names(arrived(2, 7), arrived(1, 5))).toStrictEqual([name]);
    expect(await names(arrived(2, 7), arrived(1, 6))).not.toStrictEqual([name]);
  });
});

describe('a message that is none of ours', () => {
  it.each([
    '',
    '{',
    '{"receipts":[]}',
    '{"receipts":[{"image_id":"x","receipt_id":1,"change":"1"}]}',
  ])('comes again alone, and is not quoted: %s', async (body) => {
    const { start, starts, logged } = world(arrived(1, 5));
    const answer = await start({ messageId: 'bad', body }, message('a', arrived(1, 5)));
    expect(answer).toStrictEqual({ started: 1, executions: 1, unreadable: ['bad'] });
    expect(starts).toHaveLength(1);
    expect(logged).toStrictEqual([
      {
        message_id: 'bad',
        error_message: 'the message does not name receipts that have changed',
      },
    ]);
  });
});

describe('an execution that can not be started', () => {
  it('leaves the note where it is, and all comes again', async () => {
    const { notes } = world(arrived(1, 5));
    const error = await rejection(
      startArrivals([message('a', arrived(1, 5))], {
        latestChanges: () => Promise.resolve(notes),
        start: () => Promise.reject(new Error('no')),
        forget: () => Promise.reject(new Error('nothing is forgotten')),
        logger: { info: () => undefined, warn: () => undefined },
      }),
    );
    expect(error.message).toBe('no');
    expect(notes.size).toBe(1);
  });
});
