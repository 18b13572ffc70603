import type { RowKey } from '../entities/keys.ts';
import type { RetryPorts } from '../retry.ts';
import { CLAIM_ATTRIBUTE, settleStatuses, type StatusRow } from './embedding_statuses.ts';
import type { Table } from './table.ts';
import type { RowCondition } from './update_statements.ts';

/** Whose a claim is: a batch of ours by its id; a batch of another system's writes no owner. */
export type ClaimOwner = string | undefined;

/** A line or word by its row, and what was embedded, or is to be: a row that says something else by now is not changed. */
export interface EmbeddedText extends RowKey {
  readonly text: string;
}

/** A row that this owner has claimed. */
function claimOf(owner: ClaimOwner): RowCondition {
  return { embedding_status: 'PENDING', [CLAIM_ATTRIBUTE]: owner };
}

function isClaimedBy(row: StatusRow, owner: ClaimOwner): boolean {
  return row.embedding_status === 'PENDING' && row[CLAIM_ATTRIBUTE] === owner;
}

/** A row that is to do; a legacy row says so by having no status. */
function isToDo({ embedding_status }: StatusRow): boolean {
  return embedding_status === undefined || embedding_status === 'NONE';
}

/** A line or word that is to be claimed. */
export interface ClaimedText extends EmbeddedText {
  /** Whether its row has no status. @default false */
  readonly status_missing?: boolean | undefined;
}

/**
 * Claims lines or words for a batch: NONE → PENDING, with the batch as the claim's owner. Claiming again what the batch has
 * claimed already changes nothing. @see settleStatuses
 *
 * @returns for each whether it is claimed; false when it can't be: gone, edited, embedded, or claimed by another batch.
 * @throws ConcurrentUpdate when a row changes under every one of 5 tries, as all functions of this file; RateLimited and the like.
 * @example
 * ```ts
 * await claimEntities(table, [{ PK: 'IMAGE#3f52…', SK: 'RECEIPT#00001#LINE#00001', text: 'MILK 3.99' }], batchId); // [true]
 * ```
 */
export async function claimEntities(
  table: Table,
  entities: readonly ClaimedText[],
  batchId: string,
  ports?: RetryPorts,
): Promise<boolean[]> {
  const outcomes = await settleStatuses<'settled' | 'elsewhere'>(
    table,
    entities.map(({ PK, SK, text, status_missing = false }) => ({
      key: { PK, SK },
      to: 'PENDING',
      claimedBy: batchId,
      where: { text, embedding_status: status_missing ? undefined : 'NONE' },
      judge: (row) => {
        if (row.text !== text) return 'elsewhere';
        if (isToDo(row)) return { text, embedding_status: row.embedding_status };
        return isClaimedBy(row, batchId) ? 'settled' : 'elsewhere';
      },
    })),
    ports,
  );
  return outcomes.map((outcome) => outcome === 'settled');
}

/**
 * `settled`: it has the wanted status now, or had it already. `elsewhere`: it is no longer this batch's to change (embedded by the
 * other path, claimed by another batch, marked as noise) and stays as it is. `edited`: it says something else by now.
 * `deleted`: the row is gone.
 */
export type SettledClaim = 'settled' | 'elsewhere' | 'edited' | 'deleted';

/**
 * Lines or words were embedded: SUCCESS, unless another batch has claimed them. A claim that somebody has taken away meanwhile
 * does not matter: the vector exists, and it is this text's.
 *
 * @param owner whose claims they are, if nothing has happened to them.
 * @example
 * ```ts
 * await settleEmbedded(table, [{ PK, SK, text: 'MILK 3.99' }], batchId, batchId); // ['settled']
 * ```
 */
export async function settleEmbedded(
  table: Table,
  texts: readonly EmbeddedText[],
  batchId: string,
  owner: ClaimOwner,
  ports?: RetryPorts,
): Promise<SettledClaim[]> {
  return await settleStatuses<SettledClaim>(
    table,
    texts.map(({ PK, SK, text }) => ({
      key: { PK, SK },
      to: 'SUCCESS',
      where: { text, ...claimOf(owner) },
      judge: (row) => {
        const { embedding_status, [CLAIM_ATTRIBUTE]: claimedBy } = row;
        if (row.text !== text) return 'edited';
        if (embedding_status === 'SUCCESS') return 'settled';
        if (embedding_status === 'NOISE') return 'elsewhere';
        if (embedding_status !== 'PENDING') return { text, embedding_status };
        const isAnothers = claimedBy !== undefined && claimedBy !== batchId;
        return isAnothers ? 'elsewhere' : { text, ...claimOf(claimedBy) };
      },
      batchId: owner,
    })),
    ports,
  );
}

/** The inputs of lines or words were refused: PENDING → FAILED, where the claims are this batch's. */
export async function settleRefused(
  table: Table,
  texts: readonly EmbeddedText[],
  owner: ClaimOwner,
  ports?: RetryPorts,
): Promise<SettledClaim[]> {
  return await settleStatuses<SettledClaim>(
    table,
    texts.map(({ PK, SK, text }) => {
      const where = { text, ...claimOf(owner) };
      return {
        key: { PK, SK },
        to: 'FAILED',
        where,
        judge: (row) => {
          if (row.text !== text) return 'edited';
          if (row.embedding_status === 'FAILED') return 'settled';
          return isClaimedBy(row, owner) ? where : 'elsewhere';
        },
        batchId: owner,
      };
    }),
    ports,
  );
}

/** Returns lines or words to NONE, where the claims are this batch's. What they say does not matter. */
export async function releaseClaims(
  table: Table,
  keys: readonly RowKey[],
  owner: ClaimOwner,
  ports?: RetryPorts,
): Promise<Exclude<SettledClaim, 'edited'>[]> {
  const where = claimOf(owner);
  return await settleStatuses<'settled' | 'elsewhere'>(
    table,
    keys.map(({ PK, SK }) => ({
      key: { PK, SK },
      to: 'NONE',
      where,
      judge: (row) => (isClaimedBy(row, owner) ? where : 'elsewhere'),
      batchId: owner,
    })),
    ports,
  );
}
