import { embeddingBatchResultCodec } from 'receipt-embedding/entities/batch';
import type { Row } from 'receipt-embedding/entities/keys';
import type { EmbeddingStatus } from 'receipt-embedding/entities/line_and_word';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  aBatch,
  BATCH_ID,
  lineId,
  OTHER_BATCH_ID,
  ourBatch,
  rowOfBatch,
  wordId,
} from '../../../tests/support/batch_factory.ts';
import { collect } from '../../../tests/support/collect.ts';
import { aLine, aWord, IMAGE_ID } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { RecordingLogger } from '../../../tests/support/recorders.ts';
import { ClaimOwners } from './return_to_none.ts';
import {
  entitiesClaimedBy,
  entitiesFailedIn,
  failedEntities,
  type UnsettledEntity,
  unsettledEntitiesOf,
} from './unsettled_entities.ts';

let table: ReceiptTable;

const word = (word_id: number, embedding_status: EmbeddingStatus, owner?: string): Row => ({
  ...rowOf.word(aWord({ word_id, embedding_status })),
  ...(owner === undefined ? {} : { embedding_batch_id: owner }),
});

const failedResult = (pinecone_id: string, status: EmbeddingStatus = 'FAILED'): Row =>
  z.encode(embeddingBatchResultCodec, {
    batch_id: BATCH_ID,
    image_id: IMAGE_ID,
    pinecone_id,
    text: 'MILK',
    status,
    error_message: null,
  });

const failedLine = rowOf.line(aLine({ embedding_status: 'FAILED' }));
const noise = { ...word(2, 'FAILED'), is_noise: true };

beforeAll(async () => {
  table = await ReceiptTable.start();
  await table.put(
    failedLine,
    word(1, 'FAILED'),
    noise,
    word(3, 'PENDING', BATCH_ID),
    word(4, 'PENDING', OTHER_BATCH_ID),
    word(5, 'PENDING'),
    word(6, 'SUCCESS'),
    word(7, 'NONE'),
    // Their index keys lag behind what they are.
    { ...word(8, 'SUCCESS'), GSI1PK: 'EMBEDDING_STATUS#FAILED' },
    { ...word(9, 'PENDING', OTHER_BATCH_ID), GSI1PK: 'EMBEDDING_STATUS#FAILED' },
    rowOf.word(aWord({ receipt_id: 2, embedding_status: 'FAILED' })),
    { PK: 'IMAGE#x', SK: 'ODD', TYPE: 'ODD', GSI1PK: 'EMBEDDING_STATUS#FAILED', GSI1SK: 'ODD' },
    failedResult(wordId()),
    failedResult(wordId({ word_id: 3 })),
    failedResult(wordId({ word_id: 6 })),
    failedResult(wordId({ word_id: 2 }), 'SUCCESS'),
    failedResult(wordId({ word_id: 99 })),
    failedResult(lineId()),
  );
});

afterAll(() => table.close());

async function ids(entities: AsyncIterable<UnsettledEntity>): Promise<string[]> {
  return (await collect(entities)).map(({ PK, SK }) => `${PK}#${SK}`).sort();
}

describe('what may be returned to NONE', () => {
  it('is all that failed, with what is known of it', async () => {
    const entities = await collect(failedEntities(table));

    expect(entities.toSorted((a, b) => (a.SK < b.SK ? -1 : 1))).toStrictEqual([
      {
        PK: failedLine.PK,
        SK: failedLine.SK,
        kind: 'line',
        status: 'FAILED',
        embeddable: true,
      },
      ...[
        { SK: word(1, 'NONE').SK, embeddable: true },
        { SK: noise.SK, embeddable: false },
        { SK: 'RECEIPT#00002#LINE#00001#WORD#00001', embeddable: true },
      ].map(({ SK, embeddable }) => ({
        PK: failedLine.PK,
        SK,
        kind: 'word',
        status: 'FAILED',
        embeddable,
      })),
    ]);
  });

  it('is what failed in a batch and still has that status', async () => {
    expect(await ids(entitiesFailedIn(table, BATCH_ID))).toStrictEqual([lineId(), wordId()]);
    expect(await ids(entitiesFailedIn(table, OTHER_BATCH_ID))).toStrictEqual([]);
  });

  it('is what a batch has claimed, and no other', async () => {
    expect(await collect(entitiesClaimedBy(table, BATCH_ID))).toStrictEqual([
      {
        PK: failedLine.PK,
        SK: word(3, 'NONE').SK,
        kind: 'word',
        status: 'PENDING',
        owner: BATCH_ID,
        embeddable: true,
      },
    ]);
  });

  it('is what failed or is claimed of a receipt, and of no other', async () => {
    expect(
      await ids(unsettledEntitiesOf(table, { image_id: IMAGE_ID, receipt_id: 1 })),
    ).toStrictEqual([lineId(), ...[1, 2, 3, 4, 5, 9].map((word_id) => wordId({ word_id }))]);
  });
});

describe('the batch that has claimed a line or word', () => {
  const owned = (owner?: string) => ({
    kind: 'word' as const,
    ...(owner === undefined ? {} : { owner }),
  });
  const isLive = (owner?: string): Promise<boolean> =>
    new ClaimOwners(table, new RecordingLogger()).isLive(owned(owner));

  it.each([
    ['is not live when it is not recorded', undefined, false],
    ['is live while it is being submitted', 'SUBMITTING', true],
    ['is live while it runs', 'IN_PROGRESS', true],
    ['is not live when it has ended', 'EXPIRED', false],
  ] as const)('%s', async (_, status, live) => {
    const batch_id = `0b7e3f3a-1111-4222-8333-${status === undefined ? '000000000000' : '000000000001'}`;
    if (status !== undefined) await table.put(rowOfBatch(ourBatch({ batch_id, status })));

    expect(await isLive(batch_id)).toBe(live);
  });

  it('is live when its status is one that nobody knows', async () => {
    await table.put({ ...rowOfBatch(ourBatch()), status: 'PONDERING' });

    expect(await isLive(BATCH_ID)).toBe(true);
  });

  it("may be any of an older system's that has not ended, where the claim names none", async () => {
    await table.put(rowOfBatch(ourBatch({ status: 'IN_PROGRESS' })));
    expect(await isLive()).toBe(false);

    await table.put(rowOfBatch(aBatch({ batch_type: 'LINE_EMBEDDING', status: 'IN_PROGRESS' })));
    expect(await isLive()).toBe(false);

    await table.put(rowOfBatch(aBatch({ batch_id: OTHER_BATCH_ID, status: 'IN_PROGRESS' })));
    expect(await isLive()).toBe(true);
  });
});
