import { tmpdir } from 'node:os';
import { createS3Client } from 'receipt-embedding/aws_clients';
import type { IdentifiedStore, RecordPorts } from 'receipt-embedding/delivery/delivery_ports';
import type { EmbeddingModel } from 'receipt-embedding/embeddings/embedder';
import { VectorLog } from 'receipt-embedding/log/vector_log';
import { mapSettled } from 'receipt-embedding/settled_map';
import { openStores } from 'receipt-embedding/stores/open_stores';
import type { StoreName, VectorStore } from 'receipt-embedding/stores/vector_store';
import { recordCompactionRun } from 'receipt-embedding/table/compaction_runs';
import {
  changeEmbeddedReceipt,
  readEmbeddedReceipt,
  writeEmbeddedReceipt,
} from 'receipt-embedding/table/embedded_receipts';
import type { Table } from 'receipt-embedding/table/table';
import type { KeyedVendor, SecretVariable } from './environment.ts';
import { readSecret } from './secrets.ts';

/** The environment of a function that declares stores. */
type StoreEnvironment = { readonly VECTOR_STORES: readonly StoreName[] } & Readonly<
  Partial<Record<SecretVariable<KeyedVendor>, string | undefined>>
>;

/**
 * The stores that a function handles: those of its stack, or the one that it is for.
 *
 * @throws InvalidConfiguration, RateLimited, UpstreamUnavailable: as openStores, and as readSecret.
 */
export async function openDeclaredStores(
  environment: StoreEnvironment,
  model: EmbeddingModel,
): Promise<VectorStore[]> {
  return await openStores(environment.VECTOR_STORES, {
    environment,
    model,
    secretOf: (store) => readSecret(environment, store as KeyedVendor),
  });
}

/** The model that a stack embeds with. */
export function stackModel(environment: {
  readonly EMBEDDING_MODEL: string;
  readonly EMBEDDING_DIMENSIONS: number;
}): EmbeddingModel {
  return { model: environment.EMBEDDING_MODEL, dimensions: environment.EMBEDDING_DIMENSIONS };
}

/** The same, each with the identity that records name it by. */
export async function identifiedStores(
  environment: StoreEnvironment,
  model: EmbeddingModel,
): Promise<(IdentifiedStore & { readonly store: VectorStore })[]> {
  const stores = await openDeclaredStores(environment, model);
  return await mapSettled(stores, async (store) => ({ identity: await store.identity(), store }), {
    atOnce: Math.max(1, stores.length),
  });
}

/** The log of what was bought. */
export function openLog(environment: { readonly CHROMADB_BUCKET: string }): VectorLog {
  return new VectorLog({
    s3: createS3Client(),
    bucket: environment.CHROMADB_BUCKET,
    temporaryFolder: tmpdir(),
  });
}

/** The records of receipts in the table. */
export function recordPorts(table: Table): RecordPorts {
  return {
    readRecord: (receipt) => readEmbeddedReceipt(table, receipt),
    writeRecord: (read, changed) => writeEmbeddedReceipt(table, read, changed),
    changeRecord: (receipt, change) => changeEmbeddedReceipt(table, receipt, change),
    recordRun: (run) => recordCompactionRun(table, run),
  };
}
