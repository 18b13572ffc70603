import type { RowKey } from '../entities/keys.ts';
import { ConcurrentUpdate } from '../errors.ts';
import { whileThrottled } from '../retry.ts';
import {
  CLAIM_ATTRIBUTE,
  readStatus,
  type StatusRow,
  type StatusUpdate,
  updateStatus,
} from './embedding_statuses.ts';
import type { Table } from './table.ts';

// The conditions below have no parentheses within parentheses, as AND binds closer than OR: dynalite takes several times as
// long for each level of them, and the update is what a local run spends most of its time with.

/**
 * Claims a line or word for a batch: NONE → PENDING, with the batch as the claim's owner. Claiming again what the batch has
 * claimed already changes nothing.
 *
 * @param text what the batch will embed: a row that says something else by now is not claimed.
 * @returns false when it is not to be had: gone, edited, embedded, or claimed by another.
 */
export async function claimEntity(
  table: Table,
  key: RowKey,
  text: string,
  batchId: string,
): Promise<boolean> {
  return await update(table, key, {
    to: 'PENDING',
    claimedBy: batchId,
    condition:
      '#text = :text AND (attribute_not_exists(embedding_status) OR embedding_status = :none' +
      ` OR embedding_status = :to AND ${CLAIM_ATTRIBUTE} = :claim)`,
    names: { '#text': 'text' },
    values: { ':text': text, ':none': 'NONE' },
  });
}

/** Whose a claim is: a batch of ours by its id; a batch of another system's writes no owner. */
export type ClaimOwner = string | undefined;

/**
 * `settled`: it has the wanted status now, or had it already. `elsewhere`: it is no longer this batch's to change (embedded by the
 * other path, claimed by another batch, marked as noise) and stays as it is. `edited`: it says something else by now.
 * `deleted`: the row is gone.
 */
export type SettledClaim = 'settled' | 'elsewhere' | 'edited' | 'deleted';

const ATTEMPTS = 5;

/**
 * A line or word was embedded: SUCCESS, unless another batch has claimed it. A claim that somebody has taken away meanwhile
 * does not matter: the vector is there, and it is this text's.
 *
 * @throws ConcurrentUpdate when the row changes under every one of 5 tries.
 */
export async function settleEmbedded(
  table: Table,
  key: RowKey,
  text: string,
  batchId: string,
): Promise<SettledClaim> {
  return await settle(table, key, {
    update: () =>
      update(table, key, {
        to: 'SUCCESS',
        condition:
          '#text = :text AND (attribute_not_exists(embedding_status)' +
          ' OR embedding_status = :none OR embedding_status = :failed' +
          ` OR embedding_status = :pending AND attribute_not_exists(${CLAIM_ATTRIBUTE})` +
          ` OR embedding_status = :pending AND ${CLAIM_ATTRIBUTE} = :batch)`,
        names: { '#text': 'text' },
        values: {
          ':text': text,
          ':none': 'NONE',
          ':failed': 'FAILED',
          ':pending': 'PENDING',
          ':batch': batchId,
        },
      }),
    judge: (row) => {
      if (row.text !== text) return 'edited';
      if (row.embedding_status === 'SUCCESS') return 'settled';
      const another =
        row.embedding_status === 'PENDING' && ![undefined, batchId].includes(row[CLAIM_ATTRIBUTE]);
      return another || row.embedding_status === 'NOISE' ? 'elsewhere' : undefined;
    },
  });
}

/**
 * The input of a line or word was refused: PENDING → FAILED, where the claim is this batch's.
 *
 * @throws ConcurrentUpdate when the row changes under every one of 5 tries.
 */
export async function settleRefused(
  table: Table,
  key: RowKey,
  text: string,
  owner: ClaimOwner,
): Promise<SettledClaim> {
  return await settle(table, key, {
    update: () =>
      update(table, key, {
        to: 'FAILED',
        condition: `#text = :text AND ${ownClaim(owner)}`,
        names: { '#text': 'text' },
        values: { ':text': text, ':pending': 'PENDING', ...ownerValue(owner) },
      }),
    judge: (row) => {
      if (row.text !== text) return 'edited';
      if (row.embedding_status === 'FAILED') return 'settled';
      return isOwnClaim(row, owner) ? undefined : 'elsewhere';
    },
  });
}

/**
 * Gives a line or word back: PENDING → NONE, where the claim is this batch's. What it says does not matter.
 *
 * @throws ConcurrentUpdate when the row changes under every one of 5 tries.
 */
export async function releaseClaim(
  table: Table,
  key: RowKey,
  owner: ClaimOwner,
): Promise<Exclude<SettledClaim, 'edited'>> {
  return await settle<'settled' | 'elsewhere'>(table, key, {
    update: () =>
      update(table, key, {
        to: 'NONE',
        condition: ownClaim(owner),
        values: { ':pending': 'PENDING', ...ownerValue(owner) },
      }),
    judge: (row) => (isOwnClaim(row, owner) ? undefined : 'elsewhere'),
  });
}

function update(table: Table, key: RowKey, change: StatusUpdate): Promise<boolean> {
  return whileThrottled(() => updateStatus(table, key, change));
}

interface Settlement<Outcome> {
  /** @returns whether its condition held. */
  readonly update: () => Promise<boolean>;
  /** What the row says about a condition that did not hold; undefined when it should have. */
  readonly judge: (row: StatusRow) => Outcome | undefined;
}

async function settle<Outcome extends string>(
  table: Table,
  key: RowKey,
  { update, judge }: Settlement<Outcome>,
): Promise<Outcome | 'settled' | 'deleted'> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await update()) return 'settled';
    const row = await whileThrottled(() => readStatus(table, key));
    if (row === undefined) return 'deleted';
    const outcome = judge(row);
    if (outcome !== undefined) return outcome;
  }
  throw new ConcurrentUpdate(
    `the claim on ${key.PK}#${key.SK} changed under each of ${ATTEMPTS} tries to settle it`,
  );
}

function ownClaim(owner: ClaimOwner): string {
  const owned =
    owner === undefined
      ? `attribute_not_exists(${CLAIM_ATTRIBUTE})`
      : `${CLAIM_ATTRIBUTE} = :owner`;
  return `embedding_status = :pending AND ${owned}`;
}

function ownerValue(owner: ClaimOwner): Record<string, string> {
  return owner === undefined ? {} : { ':owner': owner };
}

function isOwnClaim(row: StatusRow, owner: ClaimOwner): boolean {
  return row.embedding_status === 'PENDING' && row[CLAIM_ATTRIBUTE] === owner;
}
