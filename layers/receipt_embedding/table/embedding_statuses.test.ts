import { DeleteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BATCH_ID } from '../../../tests/support/batch_factory.ts';
import { aLine, aWord } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { without } from '../../../tests/support/without.ts';
import type { Row } from '../entities/keys.ts';
import type { EmbeddingStatus } from '../entities/line_and_word.ts';
import { setEmbeddingStatuses, type StatusHolder } from './embedding_statuses.ts';
import type { Table } from './table.ts';

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});

afterAll(() => table.close());

const row = rowOf.word(aWord());
const { PK, SK } = row;
const holder: StatusHolder = { PK, SK, text: 'MILK', embedding_status: 'NONE' };

beforeEach(() => table.put(row));

async function remove(): Promise<void> {
  await table.client.send(
    new DeleteItemCommand({ TableName: table.name, Key: marshall({ PK, SK }) }),
  );
}

/** A client that does something before each of its first requests, and remembers what they were. */
function before(...deeds: readonly (() => Promise<void>)[]): Table & { readonly sent: string[] } {
  const left = [...deeds];
  const sent: string[] = [];
  const send = async (command: { constructor: { name: string } }): Promise<unknown> => {
    sent.push(command.constructor.name);
    await left.shift()?.();
    return await table.client.send(command as never);
  };
  return { client: { send } as unknown as DynamoDBClient, name: table.name, sent };
}

/** What becomes of one. */
async function setEmbeddingStatus(
  of: Table,
  one: StatusHolder,
  status: EmbeddingStatus,
): Promise<string | undefined> {
  const changes = await setEmbeddingStatuses(of, [one], status);
  return Object.entries(changes).find(([, count]) => count === 1)?.[0];
}

describe('setting the embedding status of a word', () => {
  it('changes the status and its index key, and nothing else of the row', async () => {
    expect(await setEmbeddingStatus(table, holder, 'SUCCESS')).toBe('changed');
    expect(await table.get(row)).toStrictEqual({
      ...row,
      embedding_status: 'SUCCESS',
      GSI1PK: 'EMBEDDING_STATUS#SUCCESS',
    });
  });

  it('keeps what others have written to the row since it was read', async () => {
    const edited = { ...row, is_noise: true, histogram: { A: 1 } };
    await table.put(edited);

    expect(await setEmbeddingStatus(table, holder, 'SUCCESS')).toBe('changed');
    expect(await table.get(row)).toStrictEqual({
      ...edited,
      embedding_status: 'SUCCESS',
      GSI1PK: 'EMBEDDING_STATUS#SUCCESS',
    });
  });

  it('ends the claim that a batch has on it', async () => {
    await table.put({ ...row, embedding_status: 'PENDING', embedding_batch_id: BATCH_ID });

    expect(await setEmbeddingStatus(table, holder, 'SUCCESS')).toBe('changed');
    expect(await table.get(row)).toStrictEqual({
      ...row,
      embedding_status: 'SUCCESS',
      GSI1PK: 'EMBEDDING_STATUS#SUCCESS',
    });
  });

  it('does nothing where the status is that already', async () => {
    const observed = before();
    const there: StatusHolder = { ...holder, embedding_status: 'SUCCESS' };

    expect(await setEmbeddingStatus(observed, there, 'SUCCESS')).toBe('unchanged');
    expect(observed.sent).toStrictEqual([]);
  });

  it('finds that another has set it meanwhile', async () => {
    const done = { ...row, embedding_status: 'SUCCESS', GSI1PK: 'EMBEDDING_STATUS#SUCCESS' };
    await table.put(done);

    expect(await setEmbeddingStatus(table, holder, 'SUCCESS')).toBe('unchanged');
    expect(await table.get(row)).toStrictEqual(done);
  });

  it('makes no row of one that is deleted', async () => {
    await remove();

    expect(await setEmbeddingStatus(table, holder, 'SUCCESS')).toBe('deleted');
    expect(await table.get(row)).toBeUndefined();
  });

  it('makes no row of one that is deleted during the change', async () => {
    const pending = { ...row, embedding_status: 'PENDING' };
    const racing = before(() => table.put(pending), remove);

    expect(await setEmbeddingStatus(racing, holder, 'SUCCESS')).toBe('deleted');
    expect(await table.get(row)).toBeUndefined();
  });

  it('leaves a row whose text is another by now to the next run', async () => {
    const edited = { ...row, text: 'MILKY' };
    await table.put(edited);

    expect(await setEmbeddingStatus(table, holder, 'SUCCESS')).toBe('edited');
    expect(await table.get(row)).toStrictEqual(edited);
  });

  it('leaves a row that has become noise by now as it is', async () => {
    const noise = {
      ...row,
      is_noise: true,
      embedding_status: 'NOISE',
      GSI1PK: 'EMBEDDING_STATUS#NOISE',
    };
    await table.put(noise);

    expect(await setEmbeddingStatus(table, holder, 'SUCCESS')).toBe('edited');
    expect(await table.get(row)).toStrictEqual(noise);
  });

  it.each([
    ['at once where that was read', true, 1],
    ['also where it was not', false, 2],
  ])('gives a legacy row that has no status one, %s', async (_, status_missing, requests) => {
    await table.put(without(row, 'embedding_status', 'GSI1PK') as Row);
    const observed = before();

    expect(await setEmbeddingStatus(observed, { ...holder, status_missing }, 'SUCCESS')).toBe(
      'changed',
    );
    expect(observed.sent).toHaveLength(requests);
    expect(await table.get(row)).toStrictEqual({
      ...row,
      embedding_status: 'SUCCESS',
      GSI1PK: 'EMBEDDING_STATUS#SUCCESS',
    });
  });

  it('does not take an absent status for another than NONE', async () => {
    await table.put(without(row, 'embedding_status') as Row);
    const pending: StatusHolder = { ...holder, embedding_status: 'PENDING' };

    expect(await setEmbeddingStatus(table, pending, 'NONE')).toBe('unchanged');
  });

  it('goes on from the status that another has set meanwhile', async () => {
    const racing = before(() => table.put({ ...row, embedding_status: 'PENDING' }));

    expect(await setEmbeddingStatus(racing, holder, 'SUCCESS')).toBe('changed');
    expect((await table.get(row))?.['embedding_status']).toBe('SUCCESS');
    // The row came along, so it was not read.
    expect(racing.sent).toStrictEqual([
      'BatchExecuteStatementCommand',
      'BatchExecuteStatementCommand',
    ]);
  });

  it('gives up when the status changes under every try, and names the row', async () => {
    const statuses = ['PENDING', 'FAILED', 'NONE', 'PENDING', 'FAILED'];
    const racing = before(
      ...statuses.map((embedding_status) => () => table.put({ ...row, embedding_status })),
    );

    const error = await rejection(setEmbeddingStatus(racing, holder, 'SUCCESS'));

    expect(error.name).toBe('ConcurrentUpdate');
    expect(error.message).toContain(`${PK}#${SK}`);
    expect((await table.get(row))?.['embedding_status']).toBe('FAILED');
  });
});

describe('setting many', () => {
  it('counts what became of each', async () => {
    const lines = Array.from({ length: 60 }, (_, at) => aLine({ line_id: at + 1 }));
    await table.put(...lines.slice(0, 55).map(rowOf.line));
    await table.put({ ...rowOf.line(aLine({ line_id: 3 })), text: 'edited' });
    const holders = lines.map((line): StatusHolder => {
      const keys = rowOf.line(line);
      const embedding_status = line.line_id === 5 ? 'SUCCESS' : line.embedding_status;
      return { PK: keys.PK, SK: keys.SK, text: line.text, embedding_status };
    });

    expect(await setEmbeddingStatuses(table, holders, 'SUCCESS')).toStrictEqual({
      changed: 53,
      unchanged: 1,
      deleted: 5,
      edited: 1,
    });
    expect(await setEmbeddingStatuses(table, [], 'SUCCESS')).toStrictEqual({
      changed: 0,
      unchanged: 0,
      deleted: 0,
      edited: 0,
    });
  });
});
