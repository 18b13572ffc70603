import { COLLECTIONS } from 'receipt-embedding/delivery/receipt_content';
import { BATCH_RESULT_PREFIX } from 'receipt-embedding/entities/batch';
import { type EmbeddedReceipt, knownRuns } from 'receipt-embedding/entities/embedded_receipt';
import {
  imageKey,
  parseKey,
  type ReceiptIdentity,
  receiptPart,
  receiptPath,
  type Row,
  type RowKey,
} from 'receipt-embedding/entities/keys';
import { InvalidReceiptData } from 'receipt-embedding/errors';
import type { VectorLog } from 'receipt-embedding/log/vector_log';
import { BATCH_FILES, DELTAS, deltaPrefix } from 'receipt-embedding/object_keys';
import { BULK } from 'receipt-embedding/retry';
import { iterateSettled } from 'receipt-embedding/settled_map';
import { collectionOf } from 'receipt-embedding/stores/vector_ids';
import type { VectorCollection } from 'receipt-embedding/stores/vector_store';
import { readEmbeddedReceipt } from 'receipt-embedding/table/embedded_receipts';
import { type QueryInput, queryPages, type Table } from 'receipt-embedding/table/table';
import type { OpenedStore } from '../stores/stack_stores.ts';
import {
  type BucketPorts,
  listFolders,
  listVersions,
  metadataOf,
  type ObjectVersion,
} from './object_versions.ts';
import { listedIds } from './stored_ids.ts';

/** All that is held of a receipt, beside its own rows. */
export interface Holdings {
  /** Undefined where nothing is recorded. */
  readonly record: EmbeddedReceipt | undefined;
  /** Whether the receipt's own rows, or some of them, are in the table. */
  readonly rows_remain: boolean;
  /** Vector ids that stores may have, as far as the log, the record and the rows know. */
  readonly ids: Readonly<Record<VectorCollection, ReadonlySet<string>>>;
  readonly stores: readonly HeldInStore[];
  /** Stores that the record names and the command can't reach: the stack does not have them any more. */
  readonly unreachable_stores: readonly string[];
  /** Every version of every delta. */
  readonly deltas: readonly ObjectVersion[];
  /** Keys of the rows that order a compactor. */
  readonly compaction_runs: readonly RowKey[];
  /** Keys of the results of batches. */
  readonly results: readonly RowKey[];
  /** Batches whose files are to be looked through, with what is in their folders. */
  readonly batches: readonly {
    readonly batch_id: string;
    readonly files: readonly ObjectVersion[];
  }[];
}

/** What a store itself lists of the receipt. */
interface HeldInStore {
  readonly name: string;
  readonly identity: string;
  readonly lines: number;
  readonly words: number;
  /** Whether there are more than that: a store lists 300 at a time. */
  readonly more: boolean;
}

export interface HoldingsPorts {
  readonly table: Table;
  readonly log: Pick<VectorLog, 'read'>;
  readonly deltas: BucketPorts;
  readonly batchFiles: BucketPorts;
  readonly stores: readonly OpenedStore[];
  /** A store that the stack does not have any more, where its identity is enough. */
  readonly openFormer: (identity: string) => OpenedStore | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/**
 * Finds what is held of a receipt.
 *
 * @param everything look also where no record and no row points.
 * @throws InvalidReceiptData for a record that can't be read; what AWS and the stores refuse.
 */
export async function findHoldings(
  receipt: ReceiptIdentity,
  everything: boolean,
  ports: HoldingsPorts,
): Promise<Holdings> {
  const { table } = ports;
  const record = await readEmbeddedReceipt(table, receipt);
  const compaction_runs = await compactionRuns(table, receipt);
  const results = await resultRows(table, receipt);
  const own = await ownRows(table, receipt);
  const runs = new Set([
    ...(record === undefined ? [] : knownRuns(record)),
    ...compaction_runs.map(({ SK }) => SK.slice(SK.lastIndexOf('#') + 1)),
    ...(everything ? await runsInBucket(receipt, ports) : []),
  ]);
  const ids = { lines: new Set<string>(), words: new Set<string>() };
  const known = [
    ...(record?.left ?? []),
    ...own.ids,
    ...own.claimed.map(({ id }) => id),
    ...results.map(({ id }) => id),
  ];
  for (const id of known) {
    const collection = collectionOf(id);
    if (collection !== undefined) ids[collection].add(id);
  }
  const deltas: ObjectVersion[] = [];
  for (const run of runs) {
    for (const collection of COLLECTIONS) {
      const versions = listVersions(ports.deltas, deltaPrefix(collection, run));
      for await (const version of versions) deltas.push(version);
      for (const id of await loggedIds(ports.log, run, collection)) ids[collection].add(id);
    }
  }
  const { open, unreachable } = storesOf(record, ports);
  const held: HeldInStore[] = [];
  for (const store of open) {
    const { lines, words } = await listedIds(store, receipt);
    held.push({
      name: store.name,
      identity: store.identity,
      lines: lines.ids.length,
      words: words.ids.length,
      more: lines.more || words.more,
    });
  }
  return {
    record,
    rows_remain: own.remain,
    ids,
    stores: held,
    unreachable_stores: unreachable,
    deltas,
    compaction_runs,
    results: results.map(({ PK, SK }) => ({ PK, SK })),
    batches: await batchesOf(
      new Set([
        ...results.map(({ batch_id }) => batch_id),
        ...own.claimed.flatMap(({ owner }) => (owner === undefined ? [] : [owner])),
        ...(record === undefined ? [] : writingBatches(record)),
      ]),
      everything,
      ports,
    ),
  };
}

/** Those of the stack, and those that it does not have any more and the record names. */
function storesOf(
  record: EmbeddedReceipt | undefined,
  { stores, openFormer }: HoldingsPorts,
): { readonly open: readonly OpenedStore[]; readonly unreachable: readonly string[] } {
  const present = new Set(stores.map(({ identity }) => identity));
  const former = Object.keys(record?.stores ?? {}).filter((identity) => !present.has(identity));
  const opened = former.flatMap((identity) => openFormer(identity) ?? []);
  const reached = new Set(opened.map(({ identity }) => identity));
  return {
    open: [...stores, ...opened],
    unreachable: former.filter((identity) => !reached.has(identity)),
  };
}

/** Whether there is anything to remove. A store that can't be reached holds nothing that we could. */
export function isAnythingHeld(holdings: Holdings): boolean {
  const { record, stores, deltas, compaction_runs, results, batches } = holdings;
  return (
    record !== undefined ||
    stores.some(({ lines, words }) => lines + words > 0) ||
    deltas.length + compaction_runs.length + results.length > 0 ||
    batches.some(({ files }) => files.length > 0)
  );
}

async function compactionRuns(table: Table, receipt: ReceiptIdentity): Promise<RowKey[]> {
  const query = {
    KeyConditionExpression: 'PK = :image AND begins_with(SK, :run)',
    ProjectionExpression: 'PK, SK',
    ConsistentRead: true,
    values: {
      image: imageKey(receipt.image_id),
      run: `${receiptPart(receipt.receipt_id)}#COMPACTION_RUN#`,
    },
  };
  return (await allRows(table, query)).map(({ PK, SK }) => ({ PK, SK }));
}

interface ResultRow extends RowKey {
  /** The vector id. */
  readonly id: string;
  readonly batch_id: string;
}

async function resultRows(table: Table, receipt: ReceiptIdentity): Promise<ResultRow[]> {
  const rows = await allRows(table, {
    IndexName: 'GSI3',
    KeyConditionExpression: 'GSI3PK = :receipt AND begins_with(GSI3SK, :batch)',
    ProjectionExpression: 'PK, SK, pinecone_id',
    values: { receipt: receiptPath(receipt), batch: 'BATCH#' },
  });
  return rows
    .filter(({ SK }) => SK.startsWith(BATCH_RESULT_PREFIX))
    .map(({ PK, SK, pinecone_id }) => ({
      PK,
      SK,
      id: String(pinecone_id),
      batch_id: PK.slice('BATCH#'.length),
    }));
}

interface OwnRows {
  readonly remain: boolean;
  readonly ids: readonly string[];
  readonly claimed: readonly { readonly id: string; readonly owner: string | undefined }[];
}

/** The receipt's lines and words: their keys are the ids of their vectors. */
async function ownRows(table: Table, receipt: ReceiptIdentity): Promise<OwnRows> {
  const rows: Row[] = [];
  for (const kind of ['LINE', 'WORD']) {
    const query = {
      IndexName: 'GSI3',
      KeyConditionExpression: 'GSI3PK = :receipt AND GSI3SK = :kind',
      ProjectionExpression: 'PK, SK, embedding_batch_id',
      values: { receipt: receiptPath(receipt), kind },
    };
    rows.push(...(await allRows(table, query)));
  }
  const known = rows.filter((row) => parseKey(row)?.line_id !== undefined);
  const ids = known.map(({ PK, SK }) => `${PK}#${SK}`);
  const claimed = known.flatMap(({ PK, SK, embedding_batch_id: owner }) =>
    typeof owner === 'string' ? [{ id: `${PK}#${SK}`, owner }] : [],
  );
  return { remain: rows.length > 0, ids, claimed };
}

async function allRows(table: Table, query: QueryInput): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of queryPages(table, query, BULK)) rows.push(...page.rows);
  return rows;
}

/** A delta that can't be read is deleted all the same: its ids are then those that the stores list. */
async function loggedIds(
  log: Pick<VectorLog, 'read'>,
  run: string,
  collection: VectorCollection,
): Promise<string[]> {
  try {
    const content = await log.read(run, collection);
    return (content?.vectors ?? []).map(({ id }) => id);
  } catch (error) {
    if (error instanceof InvalidReceiptData) return [];
    throw error;
  }
}

/** Requests at once; S3 takes 5,500 a second of a prefix. */
const ASKED_AT_ONCE = 50;

/** The runs of all deltas that say that they are of the receipt. */
async function runsInBucket(
  { image_id, receipt_id }: ReceiptIdentity,
  { deltas, signal, onProgress }: HoldingsPorts,
): Promise<Set<string>> {
  const runs = new Set<string>();
  let asked = 0;
  for (const prefix of Object.values(DELTAS)) {
    const answers = iterateSettled(
      listVersions(deltas, prefix),
      async (version) => {
        signal.throwIfAborted();
        return version.marker ? undefined : await metadataOf(deltas, version);
      },
      { atOnce: ASKED_AT_ONCE, ahead: 2 * ASKED_AT_ONCE },
    );
    for await (const metadata of answers) {
      if (++asked % 1_000 === 0) onProgress(`Deltas: ${asked} so far`);
      const { run_id, image_id: image, receipt_id: receipt } = metadata ?? {};
      if (image !== image_id || receipt !== String(receipt_id) || run_id === undefined) continue;
      runs.add(run_id);
    }
  }
  return runs;
}

const PART_WRITER = /^batch\/(?<batch>[^/]+)\//;

/** Batches whose parts have written the recorded runs, or left their marks. */
function writingBatches({ runs, marks }: EmbeddedReceipt): string[] {
  const writers = [...runs.map(({ written_by }) => written_by), ...Object.keys(marks)];
  return writers.flatMap((writer) => PART_WRITER.exec(writer)?.groups?.['batch'] ?? []);
}

async function batchesOf(
  named: ReadonlySet<string>,
  everything: boolean,
  { batchFiles }: HoldingsPorts,
): Promise<Holdings['batches']> {
  const ids = new Set(named);
  if (everything) {
    for await (const folder of listFolders(batchFiles, BATCH_FILES.prefix)) {
      ids.add(folder.slice(BATCH_FILES.prefix.length, -1));
    }
  }
  const batches: { batch_id: string; files: ObjectVersion[] }[] = [];
  for (const batch_id of ids) {
    const files: ObjectVersion[] = [];
    for await (const file of listVersions(batchFiles, `${BATCH_FILES.prefix}${batch_id}/`)) {
      files.push(file);
    }
    batches.push({ batch_id, files });
  }
  return batches;
}
