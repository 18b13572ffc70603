import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Row } from 'receipt-embedding/entities/keys';
import { EMBEDDING_STATUSES, type EmbeddingStatus } from 'receipt-embedding/entities/line_and_word';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BATCH_ID, OTHER_BATCH_ID } from '../../../tests/support/batch_factory.ts';
import { aWord } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { returnToNone } from './return_to_none.ts';
import { type UnsettledEntity, unsettledEntity } from './unsettled_entities.ts';

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

function readAs(there: Row): UnsettledEntity {
  const read = unsettledEntity(there);
  if (read === undefined) throw new Error('nothing to return');
  return read;
}

const OWNERS = [undefined, BATCH_ID, OTHER_BATCH_ID];
const READ = [having('FAILED'), having('PENDING', BATCH_ID), having('PENDING')];
const THERE = EMBEDDING_STATUSES.flatMap((status) => OWNERS.map((owner) => having(status, owner)));
const name = (there: Row): string =>
  `${there['embedding_status'] as string} of ${(there['embedding_batch_id'] as string | undefined) ?? 'nobody'}`;

beforeEach(() => table.put(row));

describe.each(READ.map((read) => [name(read), read] as const))(
  'a word that was read as %s',
  (_, read) => {
    it.each(THERE.map((there) => [name(there), there] as const))(
      'and is %s: returned to NONE only if it is the same',
      async (_, there) => {
        await table.put(there);

        const { outcome } = await returnToNone(table, readAs(read));

        const same = name(there) === name(read);
        const already = there['embedding_status'] === 'NONE';
        expect(outcome).toBe(same || already ? 'returned' : 'changed');
        expect(await table.get(row)).toStrictEqual(same ? having('NONE') : there);
      },
    );
  },
);

describe('returning to NONE', () => {
  it('says what the row is by now, and whose', async () => {
    await table.put(having('PENDING', OTHER_BATCH_ID));

    expect(await returnToNone(table, readAs(having('FAILED')))).toStrictEqual({
      outcome: 'changed',
      status: 'PENDING',
      owner: OTHER_BATCH_ID,
    });
  });

  it('returns what was edited: the edit may have fixed what failed', async () => {
    await table.put({ ...having('FAILED'), text: 'MILKY' });

    expect(await returnToNone(table, readAs(having('FAILED')))).toStrictEqual({
      outcome: 'returned',
    });
    expect(await table.get(row)).toStrictEqual({ ...having('NONE'), text: 'MILKY' });
  });

  it('makes no row of one that is deleted', async () => {
    const { PK, SK } = row;
    await table.client.send(
      new DeleteItemCommand({ TableName: table.name, Key: marshall({ PK, SK }) }),
    );

    expect(await returnToNone(table, readAs(having('FAILED')))).toStrictEqual({
      outcome: 'deleted',
    });
    expect(await table.get(row)).toBeUndefined();
  });
});
