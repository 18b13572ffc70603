import {
  batchIdOf,
  type PackedBatch,
  type PlannedReceipts,
} from 'receipt-embedding/batches/plan_batches';
import type { BatchStatus, BatchType } from 'receipt-embedding/entities/batch';
import { z } from 'zod';
import { executionFields } from '../runtime/execution_input.ts';

/** What the state machine was started with, and the context of that execution beside it. */
export const planInputSchema = z.strictObject({
  /** At most so many receipts; a later execution plans the rest. */
  limit: z.int().min(1).optional(),
  /** What to embed of them. */
  entity: z.enum(['lines', 'words', 'both']).default('both'),
  ...executionFields,
});

export type PlanInput = z.output<typeof planInputSchema>;

/** A batch to submit, as the Map reads it. */
export interface ListedBatch {
  readonly batch_id: string;
  readonly batch_type: BatchType;
}

export interface PlanOutput {
  readonly total_batches: number;
  /** Lines and words in them. */
  readonly planned: number;
  /** Receipts in them. */
  readonly receipts: number;
  /** Whether anything is left to plan, by `limit` or by what one execution may submit. */
  readonly more: boolean;
  /** Rows that could not be read, and were skipped and logged. */
  readonly invalid_rows: number;
  readonly execution_name: string;
  /** The list of batches, as JSON lines in S3. */
  readonly manifest: { readonly bucket: string; readonly key: string };
}

export interface PlanPorts {
  /** Packs what is to do into batches; counts the receipts that went in. */
  readonly planBatches: (
    types: readonly BatchType[],
    mostReceipts: number | undefined,
    planned: PlannedReceipts,
  ) => AsyncIterable<PackedBatch>;
  readonly statusOf: (batchId: string) => Promise<BatchStatus | undefined>;
  readonly writePlan: (batchId: string, entities: PackedBatch['entities']) => Promise<void>;
  readonly writeManifest: (
    executionName: string,
    batches: readonly ListedBatch[],
  ) => Promise<PlanOutput['manifest']>;
  readonly invalidRows: () => number;
}

const TYPES = {
  lines: ['LINE_EMBEDDING'],
  words: ['WORD_EMBEDDING'],
  both: ['LINE_EMBEDDING', 'WORD_EMBEDDING'],
} as const satisfies Record<PlanInput['entity'], readonly BatchType[]>;

/**
 * Some four million words: what can be read in a function's 15 minutes, and far below what OpenAI lets an account create in
 * an hour.
 */
const MOST_BATCHES = 100;

/** Plans the batches of one execution: what each is to embed lies in S3, and what travels on are their ids. */
export async function plan(
  { limit, entity, Name }: PlanInput,
  ports: PlanPorts,
  defaultName: string,
): Promise<PlanOutput> {
  const executionName = Name ?? defaultName;
  const receipts: PlannedReceipts = { receipts: 0, more: false };
  const batches: ListedBatch[] = [];
  let planned = 0;
  let more = false;
  for await (const batch of ports.planBatches(TYPES[entity], limit, receipts)) {
    if (batches.length === MOST_BATCHES) {
      more = true;
      break;
    }
    const batch_id = await batchIdOf(batch.content_id, ports.statusOf);
    await ports.writePlan(batch_id, batch.entities);
    batches.push({ batch_id, batch_type: batch.batch_type });
    planned += batch.entities.length;
  }
  return {
    total_batches: batches.length,
    planned,
    receipts: receipts.receipts,
    more: more || receipts.more,
    invalid_rows: ports.invalidRows(),
    execution_name: executionName,
    manifest: await ports.writeManifest(executionName, batches),
  };
}
