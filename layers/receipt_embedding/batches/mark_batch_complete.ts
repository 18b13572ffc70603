import { z } from 'zod';
import {
  BATCH_RESULT_PREFIX,
  type BatchSummary,
  batchSummaryKey,
  type BatchType,
  type EmbeddingBatchResult,
  embeddingBatchResultCodec,
  type EndedBatchStatus,
  isOurs,
  ownerOf,
} from '../entities/batch.ts';
import { parsePath, rowKey, toTimestamp } from '../entities/keys.ts';
import { InvalidReceiptData } from '../errors.ts';
import { RETRY_ATTRIBUTES } from '../table/batch_retries.ts';
import { type BatchLease, updateBatch } from '../table/batch_summaries.ts';
import { type ClaimOwner, releaseClaims } from '../table/embedding_claims.ts';
import { putRows } from '../table/row_batches.ts';
import { queryPages, type Table } from '../table/table.ts';

/** How a batch ends. */
export interface BatchEnd {
  readonly status: EndedBatchStatus;
  /** Why it is not a plain success. */
  readonly reason: string | null;
  readonly prompt_tokens: number;
}

/** What became of a batch: requested = succeeded + failed + released. */
export interface BatchOutcome {
  readonly batch_id: string;
  readonly batch_type: BatchType;
  readonly batch_status: EndedBatchStatus;
  readonly requested: number;
  readonly succeeded: number;
  /** Their input was refused. */
  readonly failed: number;
  /** Not embedded: to do again, or gone. */
  readonly released: number;
  readonly prompt_tokens: number;
  readonly reason: string | null;
}

/** What is to be settled when a batch ends, by vector id. */
export interface BatchIds {
  /** What it has asked for; where it has asked for nothing yet, what it may have claimed. */
  readonly requested: AsyncIterable<string>;
  /**
   * Everything that it may have claimed. What was edited between two tries of its submission is claimed, but not asked for.
   *
   * @default nothing else
   */
  readonly planned?: AsyncIterable<string>;
}

/**
 * Ends a batch: every line and word that it asked for has a result by now, or is returned to NONE for another batch, like whatever
 * else it has claimed. The recorded results count, so that an earlier try's are not counted twice.
 *
 * @throws InvalidReceiptData when there are results of what it did not ask for; ConcurrentUpdate when another execution has
 * the lease of the batch.
 * @example
 * ```ts
 * await markBatchComplete(table, lease, batch, { requested: storage.requestedIds(id), planned: storage.plannedIds(id) }, {
 *   status: 'COMPLETED',
 *   reason: null,
 *   prompt_tokens: 40,
 * });
 * // { batch_id, batch_type: 'WORD_EMBEDDING', batch_status: 'COMPLETED', requested: 4, succeeded: 3, failed: 1, released: 0, … }
 * ```
 */
export async function markBatchComplete(
  table: Table,
  claim: BatchLease,
  batch: BatchSummary,
  ids: BatchIds,
  end: BatchEnd,
): Promise<BatchOutcome> {
  const results = await readBatchResults(table, batch.batch_id);
  const count = { succeeded: 0, failed: 0 };
  const unsettled: string[] = [];
  const requested = new Set<string>();
  for await (const id of ids.requested) {
    requested.add(id);
    const status = results.get(id);
    results.delete(id);
    if (status === 'SUCCESS') count.succeeded++;
    else if (status === 'FAILED') count.failed++;
    else unsettled.push(id);
  }
  if (results.size > 0) {
    const [first] = results.keys();
    throw new InvalidReceiptData(
      `batch ${batch.batch_id} has results of ${results.size} ids that it did not ask for, for instance ${first ?? ''}`,
    );
  }
  const others: string[] = [];
  for await (const id of ids.planned ?? []) if (!requested.has(id)) others.push(id);
  const owner = ownerOf(batch);
  const returned = await release(table, owner, unsettled);
  const alsoReturned = await release(table, owner, others);
  // A submission that died while it claimed has asked for nothing; what it had claimed has been returned.
  const asked = batch.requested === undefined && isOurs(batch) ? returned : unsettled.length;
  const released = asked + alsoReturned;
  const outcome: BatchOutcome = {
    batch_id: batch.batch_id,
    batch_type: batch.batch_type,
    batch_status: end.status,
    requested: count.succeeded + count.failed + released,
    ...count,
    released,
    prompt_tokens: end.prompt_tokens,
    reason: end.reason,
  };
  await updateBatch(
    table,
    claim,
    {
      status: end.status,
      requested: outcome.requested,
      ...count,
      released,
      prompt_tokens: end.prompt_tokens,
      ...(end.reason === null ? {} : { reason: end.reason }),
      completed_at: toTimestamp(claim.now),
    },
    { endLease: true, clear: RETRY_ATTRIBUTES },
  );
  return outcome;
}

/** @returns how many were this batch's, and are NONE now. */
async function release(table: Table, owner: ClaimOwner, ids: readonly string[]): Promise<number> {
  const keys = ids.flatMap((id) => {
    const image = parsePath(id)?.image_id;
    return image === undefined ? [] : [rowKey(image, id)];
  });
  const outcomes = await releaseClaims(table, keys, owner);
  return outcomes.filter((outcome) => outcome === 'settled').length;
}

/** What is recorded of a batch that has ended, as the outcome that ending it gave. */
export function recordedOutcome(batch: BatchSummary): BatchOutcome {
  return {
    batch_id: batch.batch_id,
    batch_type: batch.batch_type,
    batch_status: batch.status as EndedBatchStatus,
    requested: batch.requested ?? 0,
    succeeded: batch.succeeded ?? 0,
    failed: batch.failed ?? 0,
    released: batch.released ?? 0,
    prompt_tokens: batch.prompt_tokens ?? 0,
    reason: batch.reason ?? null,
  };
}

/** Writes results, over what an earlier try has written. @returns the number of rows, which is all of them. */
export async function putBatchResults(
  table: Table,
  results: readonly EmbeddingBatchResult[],
): Promise<number> {
  return await putRows(
    table,
    results.map((result) => z.encode(embeddingBatchResultCodec, result)),
  );
}

/** What is recorded of a batch's lines and words: their statuses, by vector id; read consistently. */
export async function readBatchResults(
  table: Table,
  batchId: string,
): Promise<Map<string, EmbeddingBatchResult['status']>> {
  const statuses = new Map<string, EmbeddingBatchResult['status']>();
  const pages = queryPages(table, {
    KeyConditionExpression: 'PK = :batch AND begins_with(SK, :result)',
    ProjectionExpression: 'pinecone_id, #status',
    ExpressionAttributeNames: { '#status': 'status' },
    ConsistentRead: true,
    values: { batch: batchSummaryKey(batchId).PK, result: BATCH_RESULT_PREFIX },
  });
  for await (const { rows } of pages) {
    for (const row of rows) {
      statuses.set(String(row['pinecone_id']), row['status'] as EmbeddingBatchResult['status']);
    }
  }
  return statuses;
}
