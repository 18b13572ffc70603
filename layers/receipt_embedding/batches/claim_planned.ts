import { pMapIterable } from 'p-map';
import type { EmbeddingModel } from '../embeddings/embedder.ts';
import type { BatchSummary } from '../entities/batch.ts';
import { parsePath, rowKey } from '../entities/keys.ts';
import { claimEntity, type ClaimOwner } from '../table/embedding_claims.ts';
import { UPDATES_AT_ONCE } from '../table/embedding_statuses.ts';
import type { Table } from '../table/table.ts';
import { type BatchStorage, type PlannedEntity, requestLine } from './batch_files.ts';

/** Twice as many are read as are claimed at once. */
const CLAIMING = { concurrency: UPDATES_AT_ONCE, backpressure: 2 * UPDATES_AT_ONCE } as const;

/**
 * Claims the lines or words that a batch wants, and writes the requests for those that it got. Whoever was faster keeps the
 * others.
 *
 * @returns how many it got, those of an earlier try included.
 */
export async function claimPlannedEntities(
  table: Table,
  batchId: string,
  model: EmbeddingModel,
  storage: BatchStorage,
): Promise<number> {
  return await storage.writeRequests(batchId, requests(table, batchId, model, storage));
}

async function* requests(
  table: Table,
  batchId: string,
  model: EmbeddingModel,
  storage: BatchStorage,
): AsyncGenerator<string> {
  const claimed = pMapIterable(
    storage.readPlan(batchId),
    async (entity) => ((await claim(table, batchId, entity)) ? entity : undefined),
    CLAIMING,
  );
  for await (const entity of claimed) {
    if (entity !== undefined) yield requestLine(entity, model);
  }
}

async function claim(
  table: Table,
  batchId: string,
  { custom_id, text }: PlannedEntity,
): Promise<boolean> {
  const image = parsePath(custom_id)?.image_id;
  return image !== undefined && (await claimEntity(table, rowKey(image, custom_id), text, batchId));
}

/** Whether this system has submitted a batch; otherwise an older one has. */
export function isOurs(batch: BatchSummary): boolean {
  return batch.submitted_by !== undefined;
}

/** The owner of a batch's claims. An older system's claims have none. */
export function ownerOf(batch: BatchSummary): ClaimOwner {
  return isOurs(batch) ? batch.batch_id : undefined;
}
