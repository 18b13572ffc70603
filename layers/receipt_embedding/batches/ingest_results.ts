import { decodeVector } from '../embeddings/embedder.ts';
import type { BatchType, EmbeddingBatchResult } from '../entities/batch.ts';
import { type EmbeddedReceipt, withProjected } from '../entities/embedded_receipt.ts';
import { parsePath, type ReceiptIdentity, receiptPath, rowKey } from '../entities/keys.ts';
import type { Logger } from '../ports.ts';
import { mapSettled } from '../settled_map.ts';
import type {
  RefusedRecord,
  StoreName,
  VectorCollection,
  VectorMetadata,
  VectorStore,
} from '../stores/vector_store.ts';
import {
  type ClaimOwner,
  type EmbeddedText,
  settleEmbedded,
  settleRefused,
} from '../table/embedding_claims.ts';
import type { Table } from '../table/table.ts';
import type { PartRecord } from './batch_files.ts';
import { putBatchResults } from './mark_batch_complete.ts';

/** Keys that one log line names. */
const KEYS_SHOWN = 20;

/** The collection of a batch's vectors. */
function collectionOfType(type: BatchType): VectorCollection {
  return type === 'LINE_EMBEDDING' ? 'lines' : 'words';
}

/**
 * Writes the vectors of a part, which are in the log, to one store.
 *
 * @returns how many the store has now, and which it refused: their lines and words become FAILED when the results are recorded.
 * @throws what the store throws.
 * @example
 * ```ts
 * await upsertEmbeddings('WORD_EMBEDDING', await storage.readRecords(key), { store, logger }); // { stored: 998, refused: [] }
 * ```
 */
export async function upsertEmbeddings(
  type: BatchType,
  records: readonly PartRecord[],
  { store, logger }: { readonly store: Pick<VectorStore, 'upsert'>; readonly logger: Logger },
): Promise<{ readonly stored: number; readonly refused: readonly RefusedRecord[] }> {
  const outcome = await store.upsert(
    collectionOfType(type),
    records.flatMap(({ id, embedding, metadata }) =>
      embedding === undefined
        ? []
        : // Written by logResults, from metadata of exactly this form.
          [
            {
              id,
              vector: decodeVector(embedding),
              metadata: metadata as unknown as VectorMetadata,
            },
          ],
    ),
  );
  if (outcome.refused.length > 0) {
    logger.warn('the store refused records, whose lines and words become FAILED', {
      count: outcome.refused.length,
      first: outcome.refused.slice(0, KEYS_SHOWN),
    });
  }
  return outcome;
}

/**
 * The same by the name that people know: Pinecone is where batches went before there were other stores.
 *
 * @alias
 * @public
 */
export const upsertEmbeddingsToPinecone = upsertEmbeddings;

interface WriteResultsPorts {
  readonly table: Table;
  /** What each store of the stack has refused of the part. */
  readonly refusedBy: ReadonlyMap<StoreName, readonly RefusedRecord[]>;
}

/**
 * Records what a batch has brought for the lines and words of a part: those that the log and every store have become SUCCESS, those that
 * OpenAI or a store has refused FAILED, and each gets a result row. What is gone or edited gets none: it is returned to NONE when the batch ends.
 *
 * @param owner whose the claims are.
 * @returns the number of result rows written.
 * @throws ConcurrentUpdate, RateLimited when DynamoDB leaves rows unprocessed.
 * @example
 * ```ts
 * await writeEmbeddingResultsToDynamo(batchId, batchId, await storage.readRecords(key), { table, refusedBy }); // 1000
 * ```
 */
export async function writeEmbeddingResultsToDynamo(
  batchId: string,
  owner: ClaimOwner,
  records: readonly PartRecord[],
  { table, refusedBy }: WriteResultsPorts,
): Promise<number> {
  const reasons = new Map(
    [...refusedBy.values()].flatMap((refused) =>
      refused.map(({ id, reason }) => [id, reason] as const),
    ),
  );
  const reasonOf = ({ id, refused }: PartRecord): string | undefined => refused ?? reasons.get(id);
  const embedded = records.filter((record) => reasonOf(record) === undefined);
  const refused = records.filter((record) => reasonOf(record) !== undefined);
  const outcomes = [
    ...(await settleEmbedded(table, embedded.map(textOf), batchId, owner)),
    ...(await settleRefused(table, refused.map(textOf), owner)),
  ];
  const recorded = [...embedded, ...refused].filter(
    (_, at) => outcomes[at] !== 'edited' && outcomes[at] !== 'deleted',
  );
  return await putBatchResults(
    table,
    recorded.map((record): EmbeddingBatchResult => {
      const reason = reasonOf(record);
      return {
        batch_id: batchId,
        image_id: imageOf(record),
        pinecone_id: record.id,
        text: record.text,
        status: reason === undefined ? 'SUCCESS' : 'FAILED',
        error_message: reason ?? null,
      };
    }),
  );
}

function imageOf({ id }: PartRecord): string {
  return parsePath(id)?.image_id ?? '';
}

function textOf(record: PartRecord): EmbeddedText {
  return { ...rowKey(imageOf(record), record.id), text: record.text };
}

/** Records that are changed at once. */
const CONCURRENCY = 8;

interface NoteStoredPorts {
  readonly changeRecord: (
    receipt: ReceiptIdentity,
    change: (record: EmbeddedReceipt) => EmbeddedReceipt,
  ) => Promise<unknown>;
  /** The stack's stores by their identities, with what each has refused of the part. */
  readonly refusedBy: ReadonlyMap<string, readonly RefusedRecord[]>;
  /** Of the part, as logResults has marked it. */
  readonly writer: string;
}

/**
 * Notes on the records of a part's receipts that the stores have what the part brought. Where a newer run of the same lines or words has come
 * meanwhile, which this part may have covered, its mark stays: the next realtime run over the receipt writes that one once more.
 */
export async function noteStored(
  type: BatchType,
  records: readonly PartRecord[],
  { changeRecord, refusedBy, writer }: NoteStoredPorts,
): Promise<void> {
  const collection = collectionOfType(type);
  const stores = [...refusedBy.keys()];
  const receipts = Map.groupBy(records, ({ id }) => {
    const path = parsePath(id);
    return path === undefined ? '' : receiptPath(path);
  });
  await mapSettled(
    receipts,
    async ([path, ofReceipt]) => {
      const receipt = parsePath(path);
      if (receipt === undefined) return;
      const ids = new Set(ofReceipt.map(({ id }) => id));
      const isLogged = ({ sequence }: EmbeddedReceipt): boolean =>
        ofReceipt.every((one) => one.sequence === sequence);
      const { image_id, receipt_id } = receipt;
      await changeRecord({ image_id, receipt_id }, (record) => {
        const runs = record.runs.filter(({ written_by }) => written_by === writer);
        const newest = record.runs.findIndex((run) => run[collection] !== null);
        return withProjected(record, {
          writer,
          stores,
          // A whole one holds more than the part has brought: the next realtime run tells whether the stores have all of it.
          runs: runs.filter(({ whole }) => !whole).map(({ run_id }) => run_id),
          replaced: [],
          refused: [...refusedBy].flatMap(([by, refused]) =>
            refused
              .filter(({ id }) => ids.has(id))
              .map((one) => ({ ...one, input_hash: null, by })),
          ),
          refilled: [],
          late: !isLogged(record) && record.runs[newest]?.written_by !== writer,
          dead: [],
        });
      });
    },
    { atOnce: CONCURRENCY },
  );
}
