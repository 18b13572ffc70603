import { randomUUID } from 'node:crypto';
import { projectAgain } from 'receipt-embedding/delivery/delivery_ends';
import type { DeliveryPorts } from 'receipt-embedding/delivery/delivery_ports';
import type { HeldVectors } from 'receipt-embedding/delivery/held_vectors';
import { allItems, COLLECTIONS } from 'receipt-embedding/delivery/receipt_content';
import { type Embedder, isSameModel } from 'receipt-embedding/embeddings/embedder';
import { doubtedStores } from 'receipt-embedding/entities/record_changes';
import { parsePath, rowKey } from 'receipt-embedding/entities/keys';
import type { Merchant } from 'receipt-embedding/merchants/resolve_merchant';
import type { Metrics } from 'receipt-embedding/ports';
import { RETRY_POLICIES, retrying } from 'receipt-embedding/retry';
import {
  CLAIM_ATTRIBUTE,
  setEmbeddingStatuses,
  type StatusHolder,
} from 'receipt-embedding/table/embedding_statuses';
import { readMissingRows } from 'receipt-embedding/table/missing_rows';
import { readReceiptContents } from 'receipt-embedding/table/receipt_contents';
import { changeRow } from 'receipt-embedding/table/update_statements';
import type { Difference } from 'receipt-embedding/verification/compare_receipt';
import { processReceipt } from '../../../simple_lambdas/process_receipt_realtime/process_receipt.ts';
import { recordPorts } from '../../../simple_lambdas/runtime/stores.ts';
import { returnToNone } from '../table/return_to_none.ts';
import { SILENT_LOGGER } from '../table/silent_logger.ts';
import type { CheckedReceipt } from './check_receipt.ts';
import { type FoundReceipt, readReceipt, recordOf, type ReadingPorts } from './read_receipt.ts';

/** What a repair has done. */
export interface Repaired {
  /** Lines and words that are NONE now: the next realtime run embeds them. */
  readonly to_none: number;
}

/** Thrown in the place of a request to OpenAI. */
class WouldBuy extends Error {}

/**
 * Repairs what differs of a receipt from the log, by the very steps of a realtime run, with an embedder that buys nothing. What the stores
 * are said to have is taken back first, on the record, so that whoever dies in here is repaired by the next run.
 */
export async function repairReceipt(
  { found, differences }: CheckedReceipt,
  ports: ReadingPorts,
): Promise<Repaired> {
  let to_none = await settleClaims(found, differences, ports);
  const ofVectors = differences.filter(({ kind }) => !OF_ROWS.has(kind));
  if (ofVectors.length === 0) return { to_none };
  const delivery = deliveryPorts(found, ports);
  await doubt(found, ofVectors, delivery);
  if (!found.held.complete) await dropMissing(found, delivery);
  try {
    const holdersOf = (holders: readonly StatusHolder[], status: 'SUCCESS' | 'FAILED') =>
      setEmbeddingStatuses(ports.table, holders, status);
    const { receipt } = found;
    await processReceipt(receipt, { ...delivery, mark: holdersOf, metrics: NO_METRICS }, '');
  } catch (error) {
    if (!(error instanceof WouldBuy)) throw error;
    to_none += await giveBack(found, ofVectors, ports);
    await retrying(RETRY_POLICIES.contended_record, () => projectHeld(found, ports, delivery));
  }
  return { to_none };
}

const OF_ROWS: ReadonlySet<Difference['kind']> = new Set([
  'pending_without_batch',
  'claim_beside_status',
  'failed_without_reason',
]);

async function settleClaims(
  { claimed }: FoundReceipt,
  differences: readonly Difference[],
  { table }: ReadingPorts,
): Promise<number> {
  let returned = 0;
  for (const { kind, key } of differences) {
    const row = claimed.find(({ id }) => id === key);
    if (row === undefined) continue;
    const at = keyOfRow(key);
    const { status, owner } = row;
    if (kind === 'pending_without_batch' && status === 'PENDING') {
      const { outcome } = await returnToNone(table, {
        ...at,
        ...{ kind: 'line', status, embeddable: true },
        ...(owner === undefined ? {} : { owner }),
      });
      if (outcome === 'returned') returned++;
    } else if (kind === 'claim_beside_status') {
      const where = { embedding_status: status, [CLAIM_ATTRIBUTE]: owner };
      await changeRow(table, { key: at, set: {}, remove: [CLAIM_ATTRIBUTE], where });
    }
  }
  return returned;
}

function keyOfRow(id: string): { readonly PK: string; readonly SK: string } {
  return rowKey(parsePath(id)?.image_id ?? '', id);
}

/** Takes back on the record that these stores have its runs, and notes the ids that are to be removed. */
async function doubt(
  { receipt }: FoundReceipt,
  differences: readonly Difference[],
  { changeRecord }: DeliveryPorts,
): Promise<void> {
  const stores = new Set(differences.flatMap(({ store }) => store ?? []));
  const gone = differences.flatMap(({ kind, key }) => (kind === 'store_has_gone' ? [key] : []));
  if (stores.size === 0) return;
  await changeRecord(receipt, (record) => ({
    ...record,
    stores: doubtedStores(record, [...stores]),
    left: [...new Set([...record.left, ...gone])],
  }));
}

/** Takes the collections whose deltas are missing off the runs of the record: a run would go by their digests alone. */
async function dropMissing(
  { receipt, record }: FoundReceipt,
  { log, changeRecord }: DeliveryPorts,
): Promise<void> {
  const missing = new Set<string>();
  for (const run of record?.runs ?? []) {
    for (const collection of COLLECTIONS) {
      const isThere =
        run[collection] === null || (await log.read(run.run_id, collection)) !== undefined;
      if (!isThere) missing.add(`${collection} ${run.run_id}`);
    }
  }
  await changeRecord(receipt, (now) => ({
    ...now,
    runs: now.runs
      .map((run) => ({
        ...run,
        lines: missing.has(`lines ${run.run_id}`) ? null : run.lines,
        words: missing.has(`words ${run.run_id}`) ? null : run.words,
      }))
      .filter(({ lines, words }) => lines !== null || words !== null),
  }));
}

/** Sets to NONE what the log has no vector of, each only while it still says what was compared. @returns how many that were. */
async function giveBack(
  { content }: FoundReceipt,
  differences: readonly Difference[],
  { table }: ReadingPorts,
): Promise<number> {
  const unheld = new Set(
    differences.flatMap(({ kind, key }) =>
      kind === 'success_without_vector' || kind === 'success_of_other_text' ? [key] : [],
    ),
  );
  const holders = allItems(content)
    .filter(({ id }) => unheld.has(id))
    .map(({ id, entity: { text, embedding_status } }) => ({
      ...keyOfRow(id),
      text,
      embedding_status,
    }));
  const { changed } = await setEmbeddingStatuses(table, holders, 'NONE');
  return changed;
}

/** Brings what the log has into the stores, where the rest must be bought first. */
async function projectHeld(
  { receipt }: FoundReceipt,
  ports: ReadingPorts,
  delivery: DeliveryPorts,
): Promise<void> {
  const found = await readReceipt({ receipt }, ports);
  const { record: read, contents, content, held, missing, model } = found;
  const ofModel = (vectors: HeldVectors['lines']): HeldVectors['lines'] =>
    new Map([...vectors].filter(([, { run }]) => isSameModel(run, model)));
  const begun = {
    ...{ receipt, read, record: recordOf(found), contents, content, missing },
    held: { ...held, lines: ofModel(held.lines), words: ofModel(held.words) },
    stores: ports.stores.map(({ identity }) => identity),
  };
  await projectAgain(begun, delivery);
}

function deliveryPorts(
  { receipt, held, model }: FoundReceipt,
  { table, log, stores, now }: ReadingPorts,
): DeliveryPorts {
  const embedder: Embedder = {
    ...model,
    embed: () => Promise.reject(new WouldBuy('this could only be bought again')),
  };
  const [merchant] = [...held.lines.values(), ...held.words.values()].flatMap(
    ({ metadata: { merchant_name: name = '' } }) => (name === '' ? [] : [name]),
  );
  // What was looked up when the vectors were bought: looking it up again may cost money.
  const before: Merchant = { name: merchant, source: 'unknown' };
  return {
    ...recordPorts(table),
    log,
    stores,
    readReceipt: () => readReceiptContents(table, receipt, SILENT_LOGGER),
    readMissing: (ids) => readMissingRows(table, ids),
    embedder,
    resolveMerchant: () => Promise.resolve(before),
    writer: `verify-${randomUUID()}`,
    clock: now,
    onRun: () => undefined,
    logger: SILENT_LOGGER,
  };
}

const NO_METRICS: Metrics = { count: () => undefined, countEach: () => undefined };
