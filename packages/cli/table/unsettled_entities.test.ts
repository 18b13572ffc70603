import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { embeddingBatchResultCodec } from 'receipt-embedding/entities/batch';
import type { Row } from 'receipt-embedding/entities/keys';
import { EMBEDDING_STATUSES, type EmbeddingStatus } from 'receipt-embedding/entities/line_and_word';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
import { ClaimOwners, returnToNone } from './return_to_none.ts';
import {
  entitiesClaimedBy,
  entitiesFailedIn,
  failedEntities,
  type UnsettledEntity,
  unsettledEntity,
  unsettledEntitiesOf,
} from './unsettled_entities.ts';

describe('entity listing', () => {
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

  describe('what may be put back', () => {
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
});

describe('put back', () => {
  let table: ReceiptTable;

  beforeAll(async () => {
    table = await ReceiptTable.start();
  });

  afterAll(() => table.close());

  /** With what others keep there, which nothing here may touch. */
  const row: Row = { ...rowOf.word(aWord()), histogram: { A: 1 } };

  function having(status: EmbeddingStatus, owner?: string): Row {
    return {
      ...row,
      embedding_status: status,
      GSI1PK: `EMBEDDING_STATUS#${status}`,
      ...(owner === undefined ? {} : { embedding_batch_id: owner }),
    };
  }

  function seenAs(there: Row): UnsettledEntity {
    const seen = unsettledEntity(there);
    if (seen === undefined) throw new Error('nothing to put back');
    return seen;
  }

  const OWNERS = [undefined, BATCH_ID, OTHER_BATCH_ID];
  const SEEN = [having('FAILED'), having('PENDING', BATCH_ID), having('PENDING')];
  const THERE = EMBEDDING_STATUSES.flatMap((status) =>
    OWNERS.map((owner) => having(status, owner)),
  );
  const name = (there: Row): string =>
    `${there['embedding_status'] as string} of ${(there['embedding_batch_id'] as string | undefined) ?? 'nobody'}`;

  beforeEach(() => table.put(row));

  describe.each(SEEN.map((seen) => [name(seen), seen] as const))(
    'a word that was seen %s',
    (_, seen) => {
      it.each(THERE.map((there) => [name(there), there] as const))(
        'and is %s: put back only if it is the same',
        async (_, there) => {
          await table.put(there);

          const { outcome } = await returnToNone(table, seenAs(seen));

          const same = name(there) === name(seen);
          const already = there['embedding_status'] === 'NONE';
          expect(outcome).toBe(same || already ? 'returned' : 'changed');
          expect(await table.get(row)).toStrictEqual(same ? having('NONE') : there);
        },
      );
    },
  );

  describe('putting back', () => {
    it('says what the row is by now, and whose', async () => {
      await table.put(having('PENDING', OTHER_BATCH_ID));

      expect(await returnToNone(table, seenAs(having('FAILED')))).toStrictEqual({
        outcome: 'changed',
        status: 'PENDING',
        owner: OTHER_BATCH_ID,
      });
    });

    it('puts back what was edited: what failed may be mended by that', async () => {
      await table.put({ ...having('FAILED'), text: 'MILKY' });

      expect(await returnToNone(table, seenAs(having('FAILED')))).toStrictEqual({
        outcome: 'returned',
      });
      expect(await table.get(row)).toStrictEqual({ ...having('NONE'), text: 'MILKY' });
    });

    it('makes no row of one that is deleted', async () => {
      const { PK, SK } = row;
      await table.client.send(
        new DeleteItemCommand({ TableName: table.name, Key: marshall({ PK, SK }) }),
      );

      expect(await returnToNone(table, seenAs(having('FAILED')))).toStrictEqual({
        outcome: 'deleted',
      });
      expect(await table.get(row)).toBeUndefined();
    });
  });
});
