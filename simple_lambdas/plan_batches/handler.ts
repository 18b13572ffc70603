import {
  batchIdOf,
  OPENAI_BATCH_LIMITS,
  type PackedBatch,
  planBatches,
  type PlannedReceipts,
} from 'receipt-embedding/batches/plan_batches';
import type { BatchStatus, BatchType } from 'receipt-embedding/entities/batch';
import type { ReceiptIdentity } from 'receipt-embedding/entities/keys';
import type { Logger } from 'receipt-embedding/ports';
import { mapSettled } from 'receipt-embedding/settled_map';
import { readBatchSummary } from 'receipt-embedding/table/batch_summaries';
import { readReceiptText } from 'receipt-embedding/table/receipt_contents';
import { receiptsWithStatus, SHARDS } from 'receipt-embedding/table/receipt_listing';
import { z } from 'zod';
import { openBatchStorage } from '../runtime/batches.ts';
import { openTable, readEnvironment } from '../runtime/environment.ts';
import { createHandler, executionFields, firstInput } from '../runtime/handler.ts';
import { openDeclaredStores } from '../runtime/stores.ts';
import { declaration } from './declaration.ts';

/** What the state machine was started with, and which execution that is. */
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

const environment = readEnvironment(declaration);
const table = openTable(environment);
const storage = openBatchStorage(environment);
const model = {
  model: environment.EMBEDDING_MODEL,
  dimensions: environment.EMBEDDING_DIMENSIONS,
};
const limits = { ...OPENAI_BATCH_LIMITS, tokens: environment.BATCH_MAX_TOKENS };

/**
 * Plans the batches of one execution: the entities of each are in S3, and the answer says where their list is.
 *
 * @example
 * // event: what the execution was started with, and which it is
 * { input: { limit: 10, entity: 'lines' }, execution_name: 'submit-1', execution_id: 'arn:…' }
 * // answer
 * {
 *   total_batches: 1, planned: 120, receipts: 10, more: true, invalid_rows: 0, execution_name: 'submit-1',
 *   manifest: { bucket: 'embedding-batches', key: 'submits/submit-1/batches.jsonl' },
 * }
 */
export const handler = createHandler(declaration, {
  input: firstInput(planInputSchema),
  handle: async (input, { logger, metrics, requestId }) => {
    const invalid = { count: 0 };
    let ignored = 0;
    const readText = async (receipt: ReceiptIdentity) => {
      const text = await readReceiptText(table, receipt, logger);
      invalid.count += text.invalid_rows.length;
      ignored += text.ignored_attributes;
      return text;
    };
    const planned = await plan(
      input,
      {
        planBatches: (types, mostReceipts, counted) =>
          planBatches(
            { types, model, limits, mostReceipts },
            { receipts: receiptsToDo(invalid, logger), readText },
            counted,
          ),
        statusOf: async (batchId) => (await readBatchSummary(table, batchId))?.status,
        writePlan: (batchId, entities) => storage.writePlan(batchId, entities),
        writeManifest: (executionName, batches) =>
          storage.writeManifest('batch_submit', executionName, batches),
        invalidRows: () => invalid.count,
        checkStore: async () => {
          const stores = await openDeclaredStores(environment, model);
          await mapSettled(stores, (store) => store.checkDimension(model.dimensions), {
            atOnce: stores.length,
          });
        },
      },
      requestId,
    );
    metrics.count('InvalidRows', invalid.count);
    metrics.count('IgnoredAttributes', ignored);
    logger.info('batches planned', { ...planned });
    return planned;
  },
});

/** Shard by shard, always in the same order, so that planning twice plans the same. */
async function* receiptsToDo(
  invalid: { count: number },
  logger: Logger,
): AsyncGenerator<ReceiptIdentity> {
  for (const shard of SHARDS) {
    yield* receiptsWithStatus({ table, status: 'NONE', after: undefined, invalid, logger }, shard);
  }
}

export interface PlanPorts {
  /** Packs the lines and words to embed into batches; counts the receipts that went in. */
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
  /** @throws InvalidConfiguration when the store can't take the model's vectors. */
  readonly checkStore: () => Promise<void>;
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

/** @param defaultName names the files where no execution calls. */
export async function plan(
  { limit, entity, Name }: PlanInput,
  ports: PlanPorts,
  defaultName: string,
): Promise<PlanOutput> {
  const executionName = Name ?? defaultName;
  const receipts: PlannedReceipts = { receipts: 0, more: false };
  // Before anything is submitted: OpenAI would be paid for vectors that have nowhere to go.
  await ports.checkStore();
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
