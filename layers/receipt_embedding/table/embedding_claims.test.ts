import { DeleteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BATCH_ID, OTHER_BATCH_ID } from '../../../tests/support/batch_factory.ts';
import { aLine, aWord } from '../../../tests/support/receipt_factory.ts';
import { ReceiptTable, rowOf } from '../../../tests/support/receipt_table.ts';
import { rejection } from '../../../tests/support/rejection.ts';
import { without } from '../../../tests/support/without.ts';
import type { Row } from '../entities/keys.ts';
import { EMBEDDING_STATUSES, type EmbeddingStatus } from '../entities/line_and_word.ts';
import {
  claimEntities,
  releaseClaims,
  type SettledClaim,
  settleEmbedded,
  settleRefused,
} from './embedding_claims.ts';
import type { Table } from './table.ts';

let table: ReceiptTable;

beforeAll(async () => {
  table = await ReceiptTable.start();
});

afterAll(() => table.close());

/** With what others keep there, which no claim may touch. */
const row: Row = { ...rowOf.word(aWord()), histogram: { A: 1 }, is_noise: false };
const key = { PK: row.PK, SK: row.SK };
const text = 'MILK';

beforeEach(() => table.put(row));

const stored = () => table.get(key);

async function remove(): Promise<void> {
  await table.client.send(new DeleteItemCommand({ TableName: table.name, Key: marshall(key) }));
}

/** The row with this status, as it is written: nobody's claim unless it says whose. */
function withStatus(status: EmbeddingStatus, owner?: string): Row {
  return {
    ...row,
    embedding_status: status,
    GSI1PK: `EMBEDDING_STATUS#${status}`,
    ...(owner === undefined ? {} : { embedding_batch_id: owner }),
  };
}

async function claim(batchId = BATCH_ID): Promise<boolean | undefined> {
  const [claimed] = await claimEntities(table, [{ ...key, text }], batchId);
  return claimed;
}

/** A client that counts its requests. */
function counting() {
  let count = 0;
  const send = (command: unknown): Promise<unknown> => {
    count++;
    return table.client.send(command as never);
  };
  return { count: () => count, client: { send } as unknown as DynamoDBClient };
}

describe('claiming a line or word for a batch', () => {
  it('is done where it is to do, and changes its status, its index and its owner alone', async () => {
    expect(await claim()).toBe(true);
    expect(await stored()).toStrictEqual(withStatus('PENDING', BATCH_ID));
  });

  it('is done for a row of old, which has no status', async () => {
    await table.put(without(row, 'embedding_status', 'GSI1PK') as Row);

    expect(await claim()).toBe(true);
    expect(await stored()).toStrictEqual(withStatus('PENDING', BATCH_ID));
  });

  it('may be done for a line', async () => {
    const line = rowOf.line(aLine());
    await table.put(line);
    const { PK, SK } = line;

    const claimed = await claimEntities(table, [{ PK, SK, text: 'WHOLE MILK 3.99' }], BATCH_ID);

    expect(claimed).toStrictEqual([true]);
    expect((await table.get(line))?.['embedding_batch_id']).toBe(BATCH_ID);
  });

  it('again by the same batch changes nothing', async () => {
    await claim();

    expect(await claim()).toBe(true);
    expect(await stored()).toStrictEqual(withStatus('PENDING', BATCH_ID));
  });

  it('is had by one of two batches that try at the same time', async () => {
    const won = await Promise.all([claim(), claim(OTHER_BATCH_ID)]);

    expect(won.toSorted()).toStrictEqual([false, true]);
    expect(await stored()).toStrictEqual(withStatus('PENDING', won[0] ? BATCH_ID : OTHER_BATCH_ID));
  });

  it.each([
    ['claimed by another batch', withStatus('PENDING', OTHER_BATCH_ID)],
    ['claimed by an older system', withStatus('PENDING')],
    ['embedded', withStatus('SUCCESS')],
    ['refused', withStatus('FAILED')],
    ['noise', withStatus('NOISE')],
    ['edited', { ...row, text: 'MILKY' }],
  ])('is not done where it is %s', async (_, there) => {
    await table.put(there);

    expect(await claim()).toBe(false);
    expect(await stored()).toStrictEqual(there);
  });

  it('needs one request for a legacy row that was read without a status', async () => {
    await table.put(without(row, 'embedding_status', 'GSI1PK') as Row);
    const { count, client } = counting();

    const claimed = await claimEntities(
      { client, name: table.name },
      [{ ...key, text, status_missing: true }],
      BATCH_ID,
    );

    expect([claimed, count()]).toStrictEqual([[true], 1]);
  });

  it('makes no row of one that is deleted', async () => {
    await remove();

    expect(await claim()).toBe(false);
    expect(await stored()).toBeUndefined();
  });
});

/** Whose claim there is on a row, seen from the batch that settles. */
const OWNERS = { none: undefined, mine: BATCH_ID, other: OTHER_BATCH_ID } as const;
type Owner = keyof typeof OWNERS;
type Says = 'same' | 'edited';

interface Situation {
  readonly status: EmbeddingStatus | 'absent';
  readonly owner: Owner;
  readonly says: Says;
}

const SITUATIONS = ([...EMBEDDING_STATUSES, 'absent'] as const).flatMap((status) =>
  (['none', 'mine', 'other'] as const).flatMap((owner) =>
    (['same', 'edited'] as const).map((says): Situation => ({ status, owner, says })),
  ),
);

function rowIn({ status, owner, says }: Situation): Row {
  const there = status === 'absent' ? row : withStatus(status);
  return {
    ...(status === 'absent' ? (without(there, 'embedding_status') as Row) : there),
    ...(owner === 'none' ? {} : { embedding_batch_id: OWNERS[owner] }),
    text: says === 'same' ? text : 'MILKY',
  };
}

interface Settling {
  /** Whose claim it settles. */
  readonly by: Owner;
  readonly settle: () => Promise<SettledClaim[]>;
  readonly to: EmbeddingStatus;
  /** What becomes of it; undefined: it is settled now. */
  readonly expected: (situation: Situation) => SettledClaim | undefined;
}

/** A refusal and a release are for whose claim it is alone; another system's batch has the claims without an owner. */
const isOwn = (situation: Situation, by: Owner): boolean =>
  situation.status === 'PENDING' && situation.owner === by;

const refusedBy = (by: Owner): Settling => ({
  by,
  settle: () => settleRefused(table, [{ ...key, text }], OWNERS[by]),
  to: 'FAILED',
  expected: (situation) => {
    if (situation.says === 'edited') return 'edited';
    if (situation.status === 'FAILED') return 'settled';
    return isOwn(situation, by) ? undefined : 'elsewhere';
  },
});

const releasedBy = (by: Owner): Settling => ({
  by,
  settle: () => releaseClaims(table, [key], OWNERS[by]),
  to: 'NONE',
  expected: (situation) => (isOwn(situation, by) ? undefined : 'elsewhere'),
});

const embeddedBy = (by: Owner): Settling => ({
  by,
  settle: () => settleEmbedded(table, [{ ...key, text }], BATCH_ID, OWNERS[by]),
  to: 'SUCCESS',
  expected: ({ status, owner, says }) => {
    if (says === 'edited') return 'edited';
    if (status === 'SUCCESS') return 'settled';
    const anothers = status === 'PENDING' && owner === 'other';
    return anothers || status === 'NOISE' ? 'elsewhere' : undefined;
  },
});

/** Who makes a claimed row something else may leave the batch's name there: the batch takes it off, and only its own. */
function withoutOldName(before: Row, batchId: string | undefined): Row {
  const { embedding_status: status, embedding_batch_id: name } = before;
  return status !== 'PENDING' && name === batchId
    ? (without(before, 'embedding_batch_id') as Row)
    : before;
}

describe.each([
  ['embedded, in a batch of ours', embeddedBy('mine')],
  ['embedded, in an older system’s batch', embeddedBy('none')],
  ['refused, in a batch of ours', refusedBy('mine')],
  ['refused, in an older system’s batch', refusedBy('none')],
  ['given back by a batch of ours', releasedBy('mine')],
  ['given back by an older system’s batch', releasedBy('none')],
] as const)('a line or word that was %s', (_, { by, settle, to, expected }) => {
  it.each(SITUATIONS)('and is $status by now, claimed by $owner, its text $says', async (now) => {
    const before = rowIn(now);
    await table.put(before);
    const outcome = expected(now);
    const changed = { ...without(before, 'embedding_batch_id'), ...statusOf(to) };

    expect(await settle()).toStrictEqual([outcome ?? 'settled']);
    expect(await stored()).toStrictEqual(
      outcome === undefined ? changed : withoutOldName(before, OWNERS[by]),
    );
  });

  it('and is deleted by now stays so', async () => {
    await remove();

    expect(await settle()).toStrictEqual(['deleted']);
    expect(await stored()).toBeUndefined();
  });

  it('is settled once, whoever tries again', async () => {
    await table.put(withStatus('PENDING', OWNERS[by]));

    await settle();
    const once = await stored();
    const again = await settle();

    expect(again).toStrictEqual([to === 'NONE' ? 'elsewhere' : 'settled']);
    expect(await stored()).toStrictEqual(once);
  });
});

function statusOf(status: EmbeddingStatus) {
  return { embedding_status: status, GSI1PK: `EMBEDDING_STATUS#${status}` };
}

describe('many claims', () => {
  it('are made, settled and released 25 a request, each with its own outcome', async () => {
    const lines = Array.from({ length: 60 }, (_, at) => rowOf.line(aLine({ line_id: at + 1 })));
    await table.put(...lines);
    const texts = lines.map(({ PK, SK }) => ({ PK, SK, text: 'WHOLE MILK 3.99' }));
    await claimEntities(table, texts.slice(0, 3), OTHER_BATCH_ID);
    const { count, client } = counting();
    const counted = { client, name: table.name };

    const claimed = await claimEntities(counted, texts, BATCH_ID);
    const embedded = await settleEmbedded(counted, texts.slice(0, 50), BATCH_ID, BATCH_ID);
    const released = await releaseClaims(counted, texts.slice(25), BATCH_ID);

    expect(claimed).toStrictEqual(lines.map((_, at) => at >= 3));
    expect(embedded).toStrictEqual(
      Array.from({ length: 50 }, (_, at) => (at < 3 ? 'elsewhere' : 'settled')),
    );
    expect(released).toStrictEqual(
      Array.from({ length: 35 }, (_, at) => (at < 25 ? 'elsewhere' : 'settled')),
    );
    expect(count()).toBe(3 + 2 + 2);
  });
});

describe('a claim that changes while it is settled', () => {
  /** A client whose every change comes too late: its condition does not hold, though the row is as it should be. */
  const late = () => {
    let changes = 0;
    const Item = marshall(withStatus('PENDING', BATCH_ID));
    const send = (): Promise<unknown> => {
      changes++;
      return Promise.resolve({ Responses: [{ Error: { Code: 'ConditionalCheckFailed', Item } }] });
    };
    const client = { send } as unknown as DynamoDBClient;
    return { table: { client, name: table.name }, changes: () => changes };
  };

  it.each<[string, (of: Table) => Promise<unknown>]>([
    ['embedded', (of) => settleEmbedded(of, [{ ...key, text }], BATCH_ID, BATCH_ID)],
    ['refused', (of) => settleRefused(of, [{ ...key, text }], BATCH_ID)],
    ['released', (of) => releaseClaims(of, [key], BATCH_ID)],
  ])('under each of five tries is an error that names the row: %s', async (_, settle) => {
    const racing = late();

    const { name, message } = await rejection(settle(racing.table));

    expect([name, racing.changes()]).toStrictEqual(['ConcurrentUpdate', 5]);
    expect(message).toContain(`${key.PK}#${key.SK}`);
  });
});
