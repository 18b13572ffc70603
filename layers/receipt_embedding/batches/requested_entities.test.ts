import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BatchBucket } from '../../../tests/support/batch_bucket.ts';
import { BATCH_ID, OTHER_BATCH_ID, wordId } from '../../../tests/support/batch_factory.ts';
import { aWord } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { type PlannedEntity, requestLine } from './batch_files.ts';
import { claimPlannedEntities } from './claim_planned.ts';

let table: ReceiptTable;
let bucket: BatchBucket;

beforeAll(async () => {
  [table, bucket] = await Promise.all([ReceiptTable.start(), BatchBucket.start()]);
});

afterAll(() => Promise.all([table.close(), bucket.close()]));

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
