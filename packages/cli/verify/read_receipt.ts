import {
  type HeldVectors,
  readForeignIds,
  readHeld,
} from 'receipt-embedding/delivery/held_vectors';
import {
  allItems,
  COLLECTIONS,
  contentOf,
  type ReceiptContent,
} from 'receipt-embedding/delivery/receipt_content';
import type { EmbeddingModel } from 'receipt-embedding/embeddings/embedder';
import { embeddingItems } from 'receipt-embedding/embeddings/embedding_items';
import { type EmbeddedReceipt, unknownReceipt } from 'receipt-embedding/entities/embedded_receipt';
import { parsePath, type ReceiptIdentity, receiptPath } from 'receipt-embedding/entities/keys';
import type { EmbeddingStatus } from 'receipt-embedding/entities/line_and_word';
import type { VectorLog } from 'receipt-embedding/log/vector_log';
import { knownMerchant } from 'receipt-embedding/merchants/resolve_merchant';
import { collectionOf } from 'receipt-embedding/stores/vector_ids';
import type { StoredVector, VectorCollection } from 'receipt-embedding/stores/vector_store';
import { readEmbeddedReceipt } from 'receipt-embedding/table/embedded_receipts';
import { CLAIM_ATTRIBUTE } from 'receipt-embedding/table/embedding_statuses';
import {
  type MissingRows,
  readMissingRows,
  withMissing,
} from 'receipt-embedding/table/missing_rows';
import {
  type ReceiptContents,
  readReceiptContents,
} from 'receipt-embedding/table/receipt_contents';
import { queryPages, type Table } from 'receipt-embedding/table/table';
import type { ClaimedRow, ReceiptState } from 'receipt-embedding/verification/compare_receipt';
import { listedIds } from '../forget/stored_ids.ts';
import type { StackStore } from '../stores/stack_stores.ts';
import { ClaimOwners } from '../table/return_to_none.ts';
import { SILENT_LOGGER } from '../table/silent_logger.ts';
import type { ListedReceipt } from './verified_receipts.ts';

export interface ReadingPorts {
  readonly table: Table;
  readonly log: Pick<VectorLog, 'read' | 'write'>;
  readonly stores: readonly StackStore[];
  readonly model: EmbeddingModel;
  readonly now: () => Date;
}

/** A receipt as it was found: what is compared, and what repairing it begins with. */
export interface FoundReceipt extends ReceiptState {
  readonly contents: ReceiptContents;
  readonly missing: MissingRows;
  readonly claimed: readonly (ClaimedRow & { readonly owner: string | undefined })[];
}

/** Reads all that is known of a receipt: its rows, its record, what the log has, and what each store has. */
export async function readReceipt(
  { receipt, run }: ListedReceipt,
  ports: ReadingPorts,
): Promise<FoundReceipt> {
  const { table, log, stores, model } = ports;
  // The record first: whatever changes later raises its version.
  const record = await readEmbeddedReceipt(table, receipt);
  let contents = await readReceiptContents(table, receipt, SILENT_LOGGER);
  const merchant = knownMerchant(contents.metadata);
  const content = (): ReceiptContent => contentOf(embeddingItems(contents, merchant, 'realtime'));
  const held = await readHeld(log, record?.runs ?? []);
  const known = await knownIds(record, held, run, ports);
  const listed = await listStores(stores, receipt);
  const seen = new Set(allItems(content()).map(({ id }) => id));
  const unseen = new Set([...known, ...listed].filter((id) => !seen.has(id)));
  const missing = await readMissingRows(table, [...unseen]);
  contents = withMissing(contents, missing);
  const ids = [...new Set([...seen, ...unseen])];
  const found: FoundReceipt['stores'][number][] = [];
  for (const { identity, store } of stores) {
    const vectors = new Map<string, StoredVector>();
    for (const collection of COLLECTIONS) {
      for (const one of await store.fetch(collection, idsOf(collection, ids))) {
        vectors.set(one.id, one);
      }
    }
    found.push({ identity, vectors });
  }
  return {
    receipt,
    model,
    contents,
    missing,
    content: content(),
    namesMerchant: merchant !== undefined,
    claimed: await readClaims(table, receipt),
    record,
    held,
    gone: missing.gone,
    readable: missing.unreadable.size === 0 && contents.invalid_rows.length === 0,
    stores: found,
    now: ports.now(),
  };
}

/** Ids that stores may have: of the log, of runs that were replaced, of what was left, and of a delta that no record names. */
async function knownIds(
  record: EmbeddedReceipt | undefined,
  held: HeldVectors,
  run: string | undefined,
  { log, stores }: ReadingPorts,
): Promise<string[]> {
  const identities = stores.map(({ identity }) => identity);
  const foreign = record === undefined ? [] : await readForeignIds(log, record, identities);
  const ids = [...held.lines.keys(), ...held.words.keys(), ...foreign];
  for (const collection of run === undefined ? [] : COLLECTIONS) {
    const logged = await log.read(run ?? '', collection);
    ids.push(...(logged?.vectors ?? []).map(({ id }) => id));
  }
  return ids;
}

/** What the stores list of the receipt, whoever has written it: up to 300 lines and 300 words each. */
async function listStores(
  stores: readonly StackStore[],
  receipt: ReceiptIdentity,
): Promise<string[]> {
  const own = `${receiptPath(receipt)}#`;
  const listed: string[] = [];
  for (const store of stores) {
    const { lines, words } = await listedIds(store, receipt);
    listed.push(...[...lines.ids, ...words.ids].filter((id) => id.startsWith(own)));
  }
  return listed;
}

function idsOf(collection: VectorCollection, ids: readonly string[]): string[] {
  return ids.filter((id) => collectionOf(id) === collection);
}

/** The lines and words that are PENDING, or that bear the name of a batch. */
async function readClaims(
  table: Table,
  receipt: ReceiptIdentity,
): Promise<FoundReceipt['claimed'][number][]> {
  const owners = new ClaimOwners(table, SILENT_LOGGER);
  const claimed: FoundReceipt['claimed'][number][] = [];
  const pages = queryPages(table, {
    IndexName: 'GSI3',
    KeyConditionExpression: 'GSI3PK = :receipt',
    FilterExpression: '#status = :pending OR attribute_exists(#claim)',
    ProjectionExpression: 'PK, SK, #status, #claim',
    ExpressionAttributeNames: { '#status': 'embedding_status', '#claim': CLAIM_ATTRIBUTE },
    values: { receipt: receiptPath(receipt), pending: 'PENDING' },
  });
  for await (const { rows } of pages) {
    for (const row of rows) {
      const id = `${row.PK}#${row.SK}`;
      const path = parsePath(id);
      if (path?.line_id === undefined) continue;
      const status = (row['embedding_status'] ?? 'NONE') as EmbeddingStatus;
      const owner = row[CLAIM_ATTRIBUTE] as string | undefined;
      const kind = path.word_id === undefined ? 'line' : 'word';
      const live =
        status === 'PENDING' &&
        (await owners.isLive({ kind, ...(owner === undefined ? {} : { owner }) }));
      claimed.push({ id, status, live, owner });
    }
  }
  return claimed;
}

/** The record to begin a repair with. */
export function recordOf({ record, receipt }: FoundReceipt): EmbeddedReceipt {
  return record ?? unknownReceipt(receipt);
}
