import { isEnded, isOurs } from 'receipt-embedding/entities/batch';
import type { BatchSummary } from 'receipt-embedding/entities/batch';
import { submissionDied } from 'receipt-embedding/table/batch_listing';
import { readBatchSummary } from 'receipt-embedding/table/batch_summaries';
import type { Table } from 'receipt-embedding/table/table';
import { WrongArgument } from '../command_line/wrong_argument.ts';
import {
  entitiesClaimedBy,
  entitiesFailedIn,
  failedEntities,
  type SeenEntity,
  unsettledEntities,
} from '../table/entity_listing.ts';
import { receiptExists } from '../table/put_back.ts';
import type { RedoRequest } from './options.ts';

export interface TargetPorts {
  readonly table: Table;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** What may be put back: lines and words that failed, or that are claimed. */
export interface Target {
  readonly entities: AsyncIterable<SeenEntity>;
  /** What is worth knowing beside it. */
  readonly note?: string;
}

/** @throws WrongArgument when there is no such batch or receipt, or the batch has not ended. */
export async function findTarget(request: RedoRequest, ports: TargetPorts): Promise<Target> {
  const { table, signal } = ports;
  switch (request.what) {
    case 'failed':
      return { entities: failedEntities(table, { signal }) };
    case 'batch':
      return await ofBatch(request.batch_id, ports);
    case 'receipt': {
      const { image_id, receipt_id } = request;
      if (await receiptExists(table, { image_id, receipt_id })) {
        return { entities: unsettledEntities(table, { image_id, receipt_id }, { signal }) };
      }
      throw new WrongArgument(
        `The table ${table.name} has no receipt ${receipt_id} of the image ${image_id} (upper and lower case matter).`,
      );
    }
  }
}

async function ofBatch(batchId: string, { table, now, signal }: TargetPorts): Promise<Target> {
  const batch = await readBatchSummary(table, batchId);
  if (batch === undefined) {
    throw new WrongArgument(
      `The table ${table.name} has no batch ${batchId}. npm run status shows the batches; an id of OpenAI's (batch_…) is another one.`,
    );
  }
  if (!isEnded(batch.status)) throw new WrongArgument(refusal(batch, now()));
  if (!isOurs(batch)) {
    return {
      entities: entitiesFailedIn(table, batchId, { signal }),
      note: "An older system's batch: what it has claimed does not say so. npm run redo -- receipt puts such claims back, receipt by receipt.",
    };
  }
  return {
    entities: (async function* () {
      yield* entitiesFailedIn(table, batchId, { signal });
      yield* entitiesClaimedBy(table, batchId, { signal });
    })(),
  };
}

function refusal(batch: BatchSummary, now: Date): string {
  const why = submissionDied(batch, now)
    ? 'Its submission died; the next poll finds it at OpenAI or gives back what it has claimed'
    : 'What it has claimed is its own until it has ended; a poll brings it to its end once OpenAI is done with it';
  return `The batch ${batch.batch_id} is ${batch.status}, so it has not ended. ${why}: npm run execute -- batch-poll`;
}
