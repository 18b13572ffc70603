import { decodeVector } from '../embeddings/embedder.ts';
import { type BatchType, collectionOfBatch, type EmbeddingBatchResult } from '../entities/batch.ts';
import { type EmbeddedReceipt, namedRefusal } from '../entities/embedded_receipt.ts';
import { withProjected } from '../entities/record_changes.ts';
import { parsePath, type ReceiptIdentity, rowKey } from '../entities/keys.ts';
import type { Logger } from '../ports.ts';
import type {
  RefusedRecord,
  StoreName,
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
import { forEachReceipt, type PartRecord } from './batch_files.ts';
import { putBatchResults } from './mark_batch_complete.ts';

/** Keys that one log line names. */
const KEYS_SHOWN = 20;

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
    collectionOfBatch(type),
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
  const collection = collectionOfBatch(type);
  const stores = [...refusedBy.keys()];
  await forEachReceipt(
    records,
    ({ id }) => id,
    async (receipt, ofReceipt) => {
      const ids = new Set(ofReceipt.map(({ id }) => id));
      const isLogged = ({ sequence }: EmbeddedReceipt): boolean =>
        ofReceipt.every((one) => one.sequence === sequence);
      await changeRecord(receipt, (record) => {
        const runs = record.runs.filter(({ written_by }) => written_by === writer);
        const newest = record.runs.find((run) => run[collection] !== null);
        return withProjected(record, {
          writer,
          stores,
          // A whole one holds more than the part has brought: the next realtime run tells whether the stores have all of it.
          runs: runs.filter(({ whole }) => !whole).map(({ run_id }) => run_id),
          replaced: [],
          refused: [...refusedBy].flatMap(([by, refused]) =>
            refused.filter(({ id }) => ids.has(id)).map((one) => namedRefusal(by, one)),
          ),
          refilled: [],
          late: !isLogged(record) && newest?.written_by !== writer,
          dead: [],
        });
      });
    },
  );
}
