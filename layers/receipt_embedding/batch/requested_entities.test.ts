import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BatchBucket } from '../../../tests/support/batch_bucket.ts';
import {
  aBatch,
  BATCH_ID,
  lineId,
  ourBatch,
  plannedWords,
  wordId,
} from '../../../tests/support/batch_factory.ts';
import { OpenAIAccount } from '../../../tests/support/openai_account.ts';
import { aLine, aWord, RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import type { BatchSummary } from '../entities/batch_summary.ts';
import type { ReceiptIdentity } from '../entities/keys.ts';
import { readRequestedEntities } from './requested_entities.ts';

let account: OpenAIAccount;
let bucket: BatchBucket;

beforeAll(async () => {
  [account, bucket] = await Promise.all([OpenAIAccount.start(), BatchBucket.start()]);
});

afterAll(() => Promise.all([account.close(), bucket.close()]));

/** What a batch has asked for; with the receipts that were read, and how often OpenAI was asked. */
async function requested(batch: BatchSummary, inputFileId: string | null) {
  const read: ReceiptIdentity[] = [];
  const before = account.asked('files.content');
  const { texts, open } = await readRequestedEntities(batch, inputFileId, {
    storage: bucket.storage,
    openai: account.client,
    readText: (receipt) => {
      read.push(receipt);
      const pending = { ...receipt, embedding_status: 'PENDING' } as const;
      return Promise.resolve({
        lines: [aLine(pending), aLine({ ...receipt, line_id: 2 })],
        words: [
          aWord({ ...pending, word_id: 2 }),
          aWord({ ...receipt, embedding_status: 'SUCCESS' }),
          aWord(pending),
        ],
      });
    },
  });
  return { texts: [...texts], open, read, asked: account.asked('files.content') - before };
}

describe('what a batch of ours has asked for', () => {
  it('is in its files: what it won of its plan, in the order of its requests, with the texts', async () => {
    const [first, second, third] = plannedWords(3);
    if (first === undefined || second === undefined || third === undefined) throw new Error();
    await bucket.storage.writePlan(BATCH_ID, [first, { ...second, text: 'BREAD' }, third]);
    await bucket.storage.writeRequestedIds(BATCH_ID, [third.custom_id, second.custom_id]);

    expect(await requested(ourBatch(), 'file-1')).toStrictEqual({
      texts: [
        [third.custom_id, 'MILK'],
        [second.custom_id, 'BREAD'],
      ],
      open: false,
      read: [],
      asked: 0,
    });
  });
});

describe('what an older system’s batch has asked for', () => {
  const refs = [RECEIPT, { ...RECEIPT, receipt_id: 2 }];

  it('is in its file at OpenAI, by the order of the keys; what is no request of its type is not', async () => {
    const [one, two] = [wordId({ receipt_id: 2 }), wordId()];
    const fileId = await account.upload([
      JSON.stringify({ custom_id: one, body: {} }),
      JSON.stringify({ custom_id: lineId() }),
      'nonsense',
      JSON.stringify({ custom_id: 'nonsense' }),
      JSON.stringify({ custom_id: two }),
      JSON.stringify({ custom_id: one }),
    ]);

    expect(await requested(aBatch({ receipt_refs: refs }), fileId)).toStrictEqual({
      texts: [
        [two, undefined],
        [one, undefined],
      ],
      open: false,
      read: [],
      asked: 1,
    });
  });

  it.each([
    [
      'WORD_EMBEDDING',
      [1, 2].flatMap((receipt_id) => [1, 2].map((word_id) => wordId({ receipt_id, word_id }))),
    ],
    ['LINE_EMBEDDING', [1, 2].map((receipt_id) => lineId({ receipt_id }))],
  ] as const)(
    'is what its receipts have PENDING where that file is gone, and whatever comes: %s',
    async (batch_type, ids) => {
      const batch = aBatch({ batch_type, receipt_refs: refs });

      expect(await requested(batch, 'file-gone')).toStrictEqual({
        texts: ids.map((id) => [id, undefined]),
        open: true,
        read: refs,
        asked: 1,
      });
    },
  );

  it.each([null, 'N/A'])('is the same where no file is known: %s', async (inputFileId) => {
    expect(await requested(aBatch(), inputFileId)).toStrictEqual({
      texts: [],
      open: true,
      read: [],
      asked: 0,
    });
  });

  it('is not guessed where OpenAI can only not be asked just now', async () => {
    const remove = account.stand.fault({ on: 'files.content', status: 401 });

    const error = await rejection(requested(aBatch({ receipt_refs: refs }), 'file-1'));
    remove();

    expect(error.name).toBe('InvalidConfiguration');
  });
});
