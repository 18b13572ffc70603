import { setImmediate as nextTurn } from 'node:timers/promises';
import { DeleteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BATCH_ID } from '../../../tests/support/batch_factory.ts';
import { aLine, aWord } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { without } from '../../../tests/support/without.ts';
import type { Row } from '../entities/keys.ts';
import { InvalidConfiguration, RateLimited } from '../errors.ts';
import {
  setEmbeddingStatus,
  setEmbeddingStatuses,
  type StatusHolder,
} from './embedding_statuses.ts';

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

/** A client that does something before each of its first updates. */
function before(...deeds: readonly (() => Promise<void>)[]): {
  client: DynamoDBClient;
  name: string;
} {
  const left = [...deeds];
  const send = async (command: { constructor: { name: string } }): Promise<unknown> => {
    if (command.constructor.name === 'UpdateItemCommand') await left.shift()?.();
    return await table.client.send(command as never);
  };
  return { client: { send } as unknown as DynamoDBClient, name: table.name };
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
    const { client } = before(() => Promise.reject(new Error('an unexpected update')));
    const there: StatusHolder = { ...holder, embedding_status: 'SUCCESS' };

    expect(await setEmbeddingStatus({ client, name: table.name }, there, 'SUCCESS')).toBe(
      'unchanged',
    );
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

  it('gives a row of old that has no status one', async () => {
    await table.put(without(row, 'embedding_status', 'GSI1PK') as Row);

    expect(await setEmbeddingStatus(table, holder, 'SUCCESS')).toBe('changed');
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

  const SIXTY = Array.from({ length: 60 }, (_, at): StatusHolder => {
    const { PK, SK } = rowOf.line(aLine({ line_id: at + 1 }));
    return { PK, SK, text: 'MILK', embedding_status: 'NONE' };
  });

  /** Answers each update by itself, the 30th with `error` so often, and counts those that were changed. */
  function answering(error: Error, times: number) {
    const asked = { changed: 0, waits: 0 };
    let left = times;
    const send = async (command: { input: { Key: { SK: { S: string } } } }): Promise<unknown> => {
      await nextTurn();
      if (command.input.Key.SK.S === SIXTY[29]?.SK && left-- > 0) throw error;
      // The others take longer than the one that fails.
      for (let turn = 0; turn < 5; turn++) await nextTurn();
      asked.changed++;
      return {};
    };
    const sleep = (): Promise<void> => {
      asked.waits++;
      return Promise.resolve();
    };
    const client = { send } as unknown as DynamoDBClient;
    return { asked, table: { client, name: 't' }, ports: { random: Math.random, sleep } };
  }

  it('has ended when it throws: with the 30th of 60 refused, nothing is changed any more', async () => {
    const { asked, table, ports } = answering(new InvalidConfiguration('not allowed'), 1);

    const error = await rejection(setEmbeddingStatuses(table, SIXTY, 'SUCCESS', ports));
    const { changed } = asked;

    expect(error.name).toBe('InvalidConfiguration');
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    expect(asked.changed).toBe(changed);
    expect(changed).toBeLessThan(59);
  });

  it.each([
    [11, 'all are changed'],
    [12, 'RateLimited'],
  ])('waits for throttling as a batch does: throttled %d times, %s', async (times, ending) => {
    const { asked, table, ports } = answering(new RateLimited('slow down'), times);

    const end = await setEmbeddingStatuses(table, SIXTY, 'SUCCESS', ports).then(
      ({ changed }) => (changed === 60 ? 'all are changed' : `${changed} changed`),
      (error: unknown) => (error as Error).name,
    );

    expect(end).toBe(ending);
    expect(asked.waits).toBe(11);
  });
});
