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
import { RateLimited } from '../errors.ts';
import {
  claimEntity,
  releaseClaim,
  type SettledClaim,
  settleEmbedded,
  settleRefused,
} from './embedding_claims.ts';

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

const claim = (batchId = BATCH_ID): Promise<boolean> => claimEntity(table, key, text, batchId);

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

    expect(await claimEntity(table, line, 'WHOLE MILK 3.99', BATCH_ID)).toBe(true);
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
  readonly settle: () => Promise<SettledClaim>;
  readonly to: EmbeddingStatus;
  /** What becomes of it; undefined: it is settled now. */
  readonly expected: (situation: Situation) => SettledClaim | undefined;
}

/** A refusal and a release are for whose claim it is alone; another system's batch has the claims without an owner. */
const isOwn = (situation: Situation, by: Owner): boolean =>
  situation.status === 'PENDING' && situation.owner === by;

const refusedBy = (by: Owner): Settling => ({
  by,
  settle: () => settleRefused(table, key, text, OWNERS[by]),
  to: 'FAILED',
  expected: (situation) => {
    if (situation.says === 'edited') return 'edited';
    if (situation.status === 'FAILED') return 'settled';
    return isOwn(situation, by) ? undefined : 'elsewhere';
  },
});

const releasedBy = (by: Owner): Settling => ({
  by,
  settle: () => releaseClaim(table, key, OWNERS[by]),
  to: 'NONE',
  expected: (situation) => (isOwn(situation, by) ? undefined : 'elsewhere'),
});

const embedded: Settling = {
  by: 'mine',
  settle: () => settleEmbedded(table, key, text, BATCH_ID),
  to: 'SUCCESS',
  expected: ({ status, owner, says }) => {
    if (says === 'edited') return 'edited';
    if (status === 'SUCCESS') return 'settled';
    const anothers = status === 'PENDING' && owner === 'other';
    return anothers || status === 'NOISE' ? 'elsewhere' : undefined;
  },
};

describe.each([
  ['embedded', embedded],
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

    expect(await settle()).toBe(outcome ?? 'settled');
    expect(await stored()).toStrictEqual(outcome === undefined ? changed : before);
  });

  it('and is deleted by now stays so', async () => {
    await remove();

    expect(await settle()).toBe('deleted');
    expect(await stored()).toBeUndefined();
  });

  it('is settled once, whoever tries again', async () => {
    await table.put(withStatus('PENDING', OWNERS[by]));

    await settle();
    const once = await stored();
    const again = await settle();

    expect(again).toBe(to === 'NONE' ? 'elsewhere' : 'settled');
    expect(await stored()).toStrictEqual(once);
  });
});

function statusOf(status: EmbeddingStatus) {
  return { embedding_status: status, GSI1PK: `EMBEDDING_STATUS#${status}` };
}

describe('a claim while DynamoDB throttles', () => {
  it('is made and settled all the same, reads included', async () => {
    const throttledOnce = new Set<string>();
    const { middlewareStack } = table.client;
    middlewareStack.add(
      (next, { commandName = '' }) =>
        async (args) => {
          if (!throttledOnce.has(commandName)) {
            throttledOnce.add(commandName);
            throw new RateLimited('slow down');
          }
          return await next(args);
        },
      { step: 'initialize', name: 'throttle' },
    );

    const claimed = await claim();
    throttledOnce.delete('UpdateItemCommand');
    const released = await releaseClaim(table, key, OTHER_BATCH_ID);
    middlewareStack.remove('throttle');

    expect([claimed, released]).toStrictEqual([true, 'elsewhere']);
    expect([...throttledOnce].toSorted()).toStrictEqual(['GetItemCommand', 'UpdateItemCommand']);
    expect(await stored()).toStrictEqual(withStatus('PENDING', BATCH_ID));
  });
});

describe('a claim that changes while it is settled', () => {
  /** A client whose every update comes too late: its condition does not hold. */
  const late = (): { client: DynamoDBClient; name: string; updates: () => number } => {
    let updates = 0;
    const send = async (command: { constructor: { name: string } }): Promise<unknown> => {
      if (command.constructor.name !== 'UpdateItemCommand') {
        return await table.client.send(command as never);
      }
      updates++;
      throw Object.assign(new Error('no'), { name: 'ConditionalCheckFailedException' });
    };
    return {
      client: { send } as unknown as DynamoDBClient,
      name: table.name,
      updates: () => updates,
    };
  };

  it.each([
    ['embedded', (of: ReturnType<typeof late>) => settleEmbedded(of, key, text, BATCH_ID)],
    ['refused', (of: ReturnType<typeof late>) => settleRefused(of, key, text, BATCH_ID)],
    ['released', (of: ReturnType<typeof late>) => releaseClaim(of, key, BATCH_ID)],
  ])('under each of five tries is an error that names the row: %s', async (_, settle) => {
    await table.put(withStatus('PENDING', BATCH_ID));
    const racing = late();

    const { name, message } = await rejection(settle(racing));

    expect([name, racing.updates()]).toStrictEqual(['ConcurrentUpdate', 5]);
    expect(message).toContain(`${key.PK}#${key.SK}`);
  });
});
