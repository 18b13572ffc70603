import { tmpdir } from 'node:os';
import { readHeld } from 'receipt-embedding/delivery/held_vectors';
import { COLLECTIONS } from 'receipt-embedding/delivery/receipt_content';
import {
  EMBEDDED_RECEIPT_TYPE,
  embeddedReceiptCodec,
} from 'receipt-embedding/entities/embedded_receipt';
import { VectorLog } from 'receipt-embedding/log/vector_log';
import type {
  StoreName,
  VectorCollection,
  VectorRecord,
  VectorStore,
} from 'receipt-embedding/stores/vector_store';
import { ofType, queryPages } from 'receipt-embedding/table/table';
import { z } from 'zod';
import { countVectors, localStores } from '../local_stores.ts';
import type { LocalStack } from '../local_stack.ts';

/** What the log has, and each store of it. */
export interface StoredVectors {
  readonly log: {
    /** Runs that the records of receipts name. */
    readonly runs: number;
    readonly deltas: number;
  };
  /** In the stack's order. */
  readonly stores: Readonly<Partial<Record<StoreName, StoreProof>>>;
}

/** What is in a store, and whether it finds that. */
interface StoreProof extends Readonly<Record<VectorCollection, number>> {
  /** Vectors of the log that it was asked for. */
  readonly asked: number;
  /** Of these, how many it has as their own nearest neighbour, or another that is as near. */
  readonly own_nearest: number;
}

/** So that the proof stays small beside the run that it proves: a query of a stand-in looks at every vector. */
const MOST_QUERIES = 1_000;

/** Two receipts may say the very same, and then either may be the first. */
const NEAR = 1e-5;

/** Receipts whose deltas are read at most. */
const MOST_RECEIPTS = 100;

/**
 * Asks each store of the stack for the nearest neighbour of vectors that the log has: it must be the vector itself.
 *
 * @param most of so many vectors at most, evenly picked among those of 100 receipts.
 */
export async function proveStores(local: LocalStack, most = MOST_QUERIES): Promise<StoredVectors> {
  const { aws, bucket } = local;
  const { runs, samples } = await readLog(local, most);
  const deltas = COLLECTIONS.flatMap((name) => aws.s3.listKeys(bucket, `${name}/delta/`));
  const stores: Partial<Record<StoreName, StoreProof>> = {};
  for (const store of localStores(local)) {
    stores[store.name] = { ...countVectors(store.name, local), ...(await ask(store, samples)) };
  }
  return { log: { runs, deltas: deltas.length }, stores };
}

interface Sample extends Pick<VectorRecord, 'id' | 'vector'> {
  readonly collection: VectorCollection;
}

async function readLog(
  { aws, bucket, table }: LocalStack,
  most: number,
): Promise<{ readonly runs: number; readonly samples: readonly Sample[] }> {
  const log = new VectorLog({ s3: aws.clients.s3, bucket, temporaryFolder: tmpdir() });
  const pages = queryPages(table, ofType(EMBEDDED_RECEIPT_TYPE));
  let runs = 0;
  const all: Sample[] = [];
  let receipts = 0;
  for await (const { rows } of pages) {
    for (const row of rows) {
      const record = z.decode(embeddedReceiptCodec, row as never);
      runs += record.runs.length;
      if (receipts++ >= MOST_RECEIPTS) continue;
      const held = await readHeld(log, record.runs);
      for (const collection of COLLECTIONS) {
        for (const { id, vector } of held[collection].values()) {
          all.push({ id, vector, collection });
        }
      }
    }
  }
  const step = Math.max(1, Math.ceil(all.length / most));
  return { runs, samples: all.filter((_, at) => at % step === 0) };
}

async function ask(
  store: VectorStore,
  samples: readonly Sample[],
): Promise<Pick<StoreProof, 'asked' | 'own_nearest'>> {
  let found = 0;
  for (const { id, vector, collection } of samples) {
    const [nearest] = (await store.query(collection, { vector, k: 1 })).hits;
    if (nearest?.id === id || (nearest?.score ?? 0) >= 1 - NEAR) found++;
  }
  return { asked: samples.length, own_nearest: found };
}
