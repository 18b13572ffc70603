import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inputHash } from '../delivery/receipt_content.ts';
import { BatchBucket } from '../../../tests/support/batch_bucket.ts';
import {
  aBatch,
  BATCH_ID,
  lineId,
  OTHER_BATCH_ID,
  ourBatch,
  plannedWords,
  wordId,
} from '../../../tests/support/batch_factory.ts';
import { OpenAIAccount } from '../../../tests/support/openai_account.ts';
import { aLine, aWord, RECEIPT } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import type { BatchSummary } from '../entities/batch.ts';
import type { ReceiptIdentity } from '../entities/keys.ts';
import { type PlannedEntity, requestLine } from './batch_files.ts';
import { claimPlannedEntities, readRequestedEntities } from './requested_entities.ts';

let table: ReceiptTable;
let bucket: BatchBucket;
let account: OpenAIAccount;

beforeAll(async () => {
  [table, bucket, account] = await Promise.all([
    ReceiptTable.start(),
    BatchBucket.start(),
    OpenAIAccount.start(),
  ]);
});

afterAll(() => Promise.all([table.close(), bucket.close(), account.close()]));

const model = { model: 'text-embedding-3-small', dimensions: 1_536 };

function planned(receipt_id: number, count: number): PlannedEntity[] {
  return Array.from({ length: count }, (_, at) => ({
    custom_id: wordId({ receipt_id, word_id: at + 1 }),
    text: 'MILK',
    input: `<TARGET>MILK</TARGET> ${at}`,
  }));
}

async function claim(batchId: string): Promise<number> {
  return await claimPlannedEntities(table, batchId, model, bucket.storage);
}

const requestsOf = (batchId: string): string[] => bucket.lines(`batches/${batchId}/requests.jsonl`);

async function ownersOf(entities: readonly PlannedEntity[]): Promise<unknown[]> {
  const rows = entities.map((_, at) =>
    table.get(rowOf.word(aWord({ receipt_id: receiptId(entities), word_id: at + 1 }))),
  );
  return (await Promise.all(rows)).map((row) => row?.['embedding_batch_id']);
}

function receiptId([first]: readonly PlannedEntity[]): number {
  return Number(/#RECEIPT#(\d+)/.exec(first?.custom_id ?? '')?.[1]);
}

describe('claiming what a batch wants', () => {
  it('writes the requests of what it got, in the order of its plan', async () => {
    const plan = planned(1, 60);
    const words = plan.map((_, at) => aWord({ receipt_id: 1, word_id: at + 1 }));
    await table.put(
      ...words.slice(0, 55).map(rowOf.word),
      // Taken, edited, embedded; and from the 56th on deleted.
      rowOf.word(aWord({ receipt_id: 1, word_id: 3, embedding_status: 'PENDING' })),
      rowOf.word(aWord({ receipt_id: 1, word_id: 4, text: 'MILKY' })),
      rowOf.word(aWord({ receipt_id: 1, word_id: 5, embedding_status: 'SUCCESS' })),
    );
    await bucket.storage.writePlan(BATCH_ID, plan);

    expect(await claim(BATCH_ID)).toBe(52);
    const won = plan.filter((_, at) => at < 55 && ![2, 3, 4].includes(at));
    expect(requestsOf(BATCH_ID)).toStrictEqual(won.map((entity) => requestLine(entity, model)));
    expect(await ownersOf(plan)).toStrictEqual(
      plan.map((entity) => (won.includes(entity) ? BATCH_ID : undefined)),
    );
  });

  it('again gives the same, also where an earlier try has ended in the middle', async () => {
    const plan = planned(2, 6);
    const words = plan.map((_, at) => aWord({ receipt_id: 2, word_id: at + 1 }));
    await table.put(...words.map(rowOf.word), {
      ...rowOf.word(aWord({ receipt_id: 2, embedding_status: 'PENDING' })),
      embedding_batch_id: BATCH_ID,
    });
    await bucket.storage.writePlan(BATCH_ID, plan);

    expect(await claim(BATCH_ID)).toBe(6);
    const first = requestsOf(BATCH_ID);
    expect(await claim(BATCH_ID)).toBe(6);
    expect(requestsOf(BATCH_ID)).toStrictEqual(first);
  });

  it('by two batches at the same time gives each word to one of them', async () => {
    const plan = planned(3, 40);
    await table.put(...plan.map((_, at) => rowOf.word(aWord({ receipt_id: 3, word_id: at + 1 }))));
    const both = [BATCH_ID, OTHER_BATCH_ID];
    for (const batchId of both) await bucket.storage.writePlan(batchId, plan);

    const counts = await Promise.all(both.map(claim));

    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(40);
    const requested = both.flatMap(requestsOf);
    expect(requested.toSorted()).toStrictEqual(
      plan.map((entity) => requestLine(entity, model)).toSorted(),
    );
    const owners = await ownersOf(plan);
    expect(owners.filter((owner) => owner === BATCH_ID)).toHaveLength(counts[0] ?? 0);
  });

  it('of what nobody can name gives nothing', async () => {
    await bucket.storage.writePlan(BATCH_ID, [{ custom_id: 'nonsense', text: 'a', input: 'a' }]);

    expect(await claim(BATCH_ID)).toBe(0);
    expect(requestsOf(BATCH_ID)).toStrictEqual([]);
  });
});

/** What a batch has asked for; with the receipts that were read, and how often OpenAI was asked. */
async function requested(batch: BatchSummary, inputFileId: string | null) {
  const read: ReceiptIdentity[] = [];
  const before = account.asked('files.content');
  const { texts, open } = await readRequestedEntities(batch, inputFileId, {
    storage: bucket.storage,
    openai: account.client,
    believeMissing: () => Promise.resolve(),
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
        [third.custom_id, { text: 'MILK', input_hash: inputHash(third.input) }],
        [second.custom_id, { text: 'BREAD', input_hash: inputHash(second.input) }],
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
