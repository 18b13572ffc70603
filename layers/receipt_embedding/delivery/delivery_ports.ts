import type { Embedder } from '../embeddings/embedder.ts';
import type { EmbeddedReceipt } from '../entities/embedded_receipt.ts';
import type { CompactionRun } from '../entities/compaction_run.ts';
import type { ReceiptIdentity } from '../entities/keys.ts';
import type { VectorLog } from '../log/vector_log.ts';
import type { Merchant } from '../merchants/resolve_merchant.ts';
import type { Clock, Logger } from '../ports.ts';
import type { VectorStore } from '../stores/vector_store.ts';
import type { MissingRows } from '../table/missing_rows.ts';
import type { ReceiptContents } from '../table/receipt_contents.ts';

/** A store of the stack, with the identity that records name it by. */
export interface IdentifiedStore {
  readonly identity: string;
  readonly store: Pick<VectorStore, 'upsert' | 'remove'>;
}

/** Where what is said of receipts is kept. */
export interface RecordPorts {
  readonly readRecord: (receipt: ReceiptIdentity) => Promise<EmbeddedReceipt | undefined>;
  /** @throws ConcurrentUpdate when it is not any more as it was read. */
  readonly writeRecord: (
    read: EmbeddedReceipt | undefined,
    changed: EmbeddedReceipt,
  ) => Promise<EmbeddedReceipt>;
  /** Makes a change to what the record is then. */
  readonly changeRecord: (
    receipt: ReceiptIdentity,
    change: (record: EmbeddedReceipt) => EmbeddedReceipt,
  ) => Promise<EmbeddedReceipt>;
  /** Orders the compactor to merge a run. @returns false when it is ordered already. */
  readonly recordRun: (run: CompactionRun) => Promise<boolean>;
}

/** What bringing vectors into the stores reaches. */
export interface ProjectionPorts extends RecordPorts {
  readonly log: Pick<VectorLog, 'read' | 'write'>;
  readonly stores: readonly IdentifiedStore[];
  /** What has become of rows that no query shows, read consistently, by vector ids. */
  readonly readMissing: (ids: readonly string[]) => Promise<MissingRows>;
  /** Who writes: one invocation. */
  readonly writer: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What delivering a receipt reaches. */
export interface DeliveryPorts extends ProjectionPorts {
  readonly readReceipt: () => Promise<ReceiptContents>;
  readonly embedder: Embedder;
  /** Asked only where the receipt does not name its merchant, and something is embedded. */
  readonly resolveMerchant: (contents: ReceiptContents, embedder: Embedder) => Promise<Merchant>;
  /** Called with the run's id as soon as it is known. */
  readonly onRun: (runId: string) => void;
}
