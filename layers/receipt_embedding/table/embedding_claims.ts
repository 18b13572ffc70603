import type { RowKey } from '../entities/keys.ts';
import { RETRY_POLICIES } from '../retry.ts';
import {
  CLAIM_ATTRIBUTE,
  settleStatus,
  type StatusRow,
  updateStatus,
} from './embedding_statuses.ts';
import type { Table } from './table.ts';

// The conditions below have no parentheses within parentheses, as AND binds closer than OR: dynalite takes several times as
// long for each level of them, and the update is what a local run spends most of its time with.

/** A batch changes its lines and words by the ten thousand. */
const BULK = { retry: RETRY_POLICIES.dynamodb_bulk } as const;

/** Whose a claim is: a batch of ours by its id; a batch of another system's writes no owner. */
export type ClaimOwner = string | undefined;

/** The condition that a claim is this owner's, and the values it needs. */
export function ownedBy(owner: ClaimOwner): {
  readonly condition: string;
  readonly values: Readonly<Record<string, string>>;
} {
  return owner === undefined
    ? { condition: `attribute_not_exists(${CLAIM_ATTRIBUTE})`, values: {} }
    : { condition: `${CLAIM_ATTRIBUTE} = :owner`, values: { owner } };
}

/**
 * Claims a line or word for a batch: NONE → PENDING, with the batch as the claim's owner. Claiming again what the batch has
 * claimed already changes nothing.
 *
 * @param text what the batch will embed: a row that says something else by now is not claimed.
 * @returns false when it can't be claimed: gone, edited, embedded, or claimed by another batch.
 * @example
 * ```ts
 * await claimEntity(table, { PK: 'IMAGE#3f52…', SK: 'RECEIPT#00001#LINE#00001' }, 'MILK 3.99', batchId); // true
 * ```
 */
export async function claimEntity(
  table: Table,
  key: RowKey,
  text: string,
  batchId: string,
): Promise<boolean> {
  return await updateStatus(
    table,
    key,
    {
      to: 'PENDING',
      claimedBy: batchId,
      condition:
        '#text = :text AND (attribute_not_exists(embedding_status) OR embedding_status = :none' +
        ` OR embedding_status = :to AND ${CLAIM_ATTRIBUTE} = :claim)`,
      names: { '#text': 'text' },
      values: { text, none: 'NONE' },
    },
    BULK,
  );
}

/**
 * `settled`: it has the wanted status now, or had it already. `elsewhere`: it is no longer this batch's to change (embedded by the
 * other path, claimed by another batch, marked as noise) and stays as it is. `edited`: it says something else by now.
 * `deleted`: the row is gone.
 */
export type SettledClaim = 'settled' | 'elsewhere' | 'edited' | 'deleted';

/**
 * A line or word was embedded: SUCCESS, unless another batch has claimed it. A claim that somebody has taken away meanwhile
 * does not matter: the vector exists, and it is this text's.
 *
 * @throws ConcurrentUpdate when the row changes under every one of 5 tries.
 * @example
 * ```ts
 * await settleEmbedded(table, key, 'MILK 3.99', batchId); // 'settled'
 * ```
 */
export async function settleEmbedded(
  table: Table,
  key: RowKey,
  text: string,
  batchId: string,
): Promise<SettledClaim> {
  return await settleStatus(
    table,
    key,
    {
      change: () => ({
        to: 'SUCCESS',
        condition:
          '#text = :text AND (attribute_not_exists(embedding_status)' +
          ' OR embedding_status = :none OR embedding_status = :failed' +
          ` OR embedding_status = :pending AND attribute_not_exists(${CLAIM_ATTRIBUTE})` +
          ` OR embedding_status = :pending AND ${CLAIM_ATTRIBUTE} = :batch)`,
        names: { '#text': 'text' },
        values: { text, none: 'NONE', failed: 'FAILED', pending: 'PENDING', batch: batchId },
      }),
      judge: (row) => {
        if (row.text !== text) return 'edited';
        if (row.embedding_status === 'SUCCESS') return 'settled';
        const another =
          row.embedding_status === 'PENDING' &&
          ![undefined, batchId].includes(row[CLAIM_ATTRIBUTE]);
        return another || row.embedding_status === 'NOISE' ? 'elsewhere' : undefined;
      },
    },
    BULK,
  );
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
  const claim = ownedBy(owner);
  return await settleStatus(
    table,
    key,
    {
      change: () => ({
        to: 'FAILED',
        condition: `#text = :text AND embedding_status = :pending AND ${claim.condition}`,
        names: { '#text': 'text' },
        values: { text, pending: 'PENDING', ...claim.values },
      }),
      judge: (row) => {
        if (row.text !== text) return 'edited';
        if (row.embedding_status === 'FAILED') return 'settled';
        return isClaimedBy(row, owner) ? undefined : 'elsewhere';
      },
    },
    BULK,
  );
}

/**
 * Returns a line or word to NONE, where the claim is this batch's. What it says does not matter.
 *
 * @throws ConcurrentUpdate when the row changes under every one of 5 tries.
 */
export async function releaseClaim(
  table: Table,
  key: RowKey,
  owner: ClaimOwner,
): Promise<Exclude<SettledClaim, 'edited'>> {
  const claim = ownedBy(owner);
  return await settleStatus<'settled' | 'elsewhere'>(
    table,
    key,
    {
      change: () => ({
        to: 'NONE',
        condition: `embedding_status = :pending AND ${claim.condition}`,
        values: { pending: 'PENDING', ...claim.values },
      }),
      judge: (row) => (isClaimedBy(row, owner) ? undefined : 'elsewhere'),
    },
    BULK,
  );
}

function isClaimedBy(row: StatusRow, owner: ClaimOwner): boolean {
  return row.embedding_status === 'PENDING' && row[CLAIM_ATTRIBUTE] === owner;
}
