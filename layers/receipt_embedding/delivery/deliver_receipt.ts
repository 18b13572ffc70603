import { RememberingEmbedder } from '../embeddings/embedder.ts';
import { embeddingItems } from '../embeddings/embedding_items.ts';
import {
  type EmbeddedReceipt,
  type LoggedRun,
  namedRefusal,
  type RefusedEntity,
  unknownReceipt,
} from '../entities/embedded_receipt.ts';
import type { ReceiptIdentity } from '../entities/keys.ts';
import { knownMerchant, type Merchant } from '../merchants/resolve_merchant.ts';
import { RETRY_POLICIES, retrying } from '../retry.ts';
import { type MissingRows, withMissing } from '../table/missing_rows.ts';
import type { ReceiptContents } from '../table/receipt_contents.ts';
import type { DeliveryPorts } from './delivery_ports.ts';
import { embedAnew, namedMerchant, projectAgain, removeReceipt } from './delivery_ends.ts';
import { type HeldVectors, readForeignIds, readHeld } from './held_vectors.ts';
import { allItems, contentOf, type ReceiptContent } from './receipt_content.ts';
import { deadMarks, logHolds, retryWanted, storesHave } from './up_to_date.ts';

/** What has become of a receipt's vectors. */
export interface Delivery {
  readonly contents: ReceiptContents;
  readonly content: ReceiptContent;
  /**
   * `embedded`: a new run was made. `reused`: the log had it; stores that lacked it have it now. `removed`: its lines and words are
   * gone, and so are its vectors. `nothing`: there is nothing to embed, and there was nothing.
   */
  readonly outcome: 'embedded' | 'reused' | 'removed' | 'nothing';
  /** Null where there is none. */
  readonly run_id: string | null;
  readonly merchant: Merchant;
  /** Vectors of the new run. */
  readonly vectors: number;
  /** Vectors written to stores, over all of them. */
  readonly upserted: number;
  /** Vectors taken out of the stores because their lines and words are gone. */
  readonly removed: number;
  /** What is FAILED, by vector id. */
  readonly refused: ReadonlyMap<string, RefusedEntity>;
  readonly usage: RememberingEmbedder['usage'];
}

/**
 * Brings the vectors of a receipt into the log and every store of the stack (docs/architecture.md, "The log, the record and the stores").
 * Every step may be repeated, and two of these may be at work on one receipt: a crash between any two steps is mended by the next call from
 * the record and the log alone.
 *
 * @param forcedBy the execution that wants everything embedded anew; it gets that once, however often it tries.
 * @throws the layer's errors; ConcurrentUpdate when others change the record all the time.
 */
export async function deliverReceipt(
  receipt: ReceiptIdentity,
  forcedBy: string | undefined,
  ports: DeliveryPorts,
): Promise<Delivery> {
  // Whoever loses against another execution begins again, and pays nothing twice.
  const embedder = new RememberingEmbedder(ports.embedder);
  return await retrying(RETRY_POLICIES.contended_record, () =>
    deliverOnce(receipt, forcedBy, embedder, ports),
  );
}

async function deliverOnce(
  receipt: ReceiptIdentity,
  forcedBy: string | undefined,
  embedder: RememberingEmbedder,
  ports: DeliveryPorts,
): Promise<Delivery> {
  const read = await ports.readRecord(receipt);
  const record = read ?? unknownReceipt(receipt);
  let contents = await ports.readReceipt();
  let content = contentIn(contents);
  const stores = ports.stores.map(({ identity }) => identity);
  const plain = (outcome: Delivery['outcome'], run: LoggedRun | undefined): Delivery => ({
    contents,
    content,
    outcome,
    run_id: run?.run_id ?? null,
    merchant: namedMerchant(contents),
    vectors: 0,
    upserted: 0,
    removed: 0,
    refused: refusedBefore(record, content, stores),
    usage: embedder.usage,
  });
  const force = record.runs[0]?.forced_by === forcedBy ? undefined : forcedBy;
  const unreadable = new Set(contents.invalid_rows.map(({ PK, SK }) => `${PK}#${SK}`));
  const settled =
    storesHave(record, stores) &&
    deadMarks(record, ports.writer, ports.clock()).length === 0 &&
    record.left.every((id) => unreadable.has(id));
  if (isEmpty(content) && record.runs.length === 0 && settled) return plain('nothing', undefined);
  const wanted = force !== undefined || retryWanted(record, content);
  if (settled && !wanted && !isEmpty(content) && logHolds(record, content, embedder)) {
    return plain('reused', record.runs[0]);
  }

  const held = await readHeld(ports.log, record.runs);
  const foreign = await readForeignIds(ports.log, record, stores);
  const missing = await readUnseen(content, held, foreign, ports);
  if (missing.lines.length + missing.words.length > 0) {
    contents = withMissing(contents, missing);
    content = contentIn(contents);
  }
  const begun = { receipt, read, record, contents, content, held, missing, stores };
  if (isEmpty(content)) {
    const removed = await removeReceipt(begun, ports);
    return { ...plain('removed', undefined), removed, refused: new Map() };
  }
  if (!wanted && held.complete && logHolds(record, content, embedder)) {
    const { upserted, refused } = await projectAgain(begun, ports);
    const { size: removed } = missing.gone;
    const before = plain('reused', record.runs[0]);
    return { ...before, upserted, removed, refused: new Map([...before.refused, ...refused]) };
  }
  const { merchant, made, projected } = await embedAnew(begun, force, embedder, ports);
  const vectors = made.vectors.lines.length + made.vectors.words.length;
  return {
    ...plain('embedded', made.run),
    merchant,
    vectors,
    upserted: projected.upserted,
    removed: missing.gone.size,
    refused: new Map([...byId(made.refused), ...projected.refused]),
  };
}

/** Vectors that no line or word has: those of rows that are gone, or that an index does not show yet. */
async function readUnseen(
  content: ReceiptContent,
  held: HeldVectors,
  foreign: ReadonlySet<string>,
  { readMissing }: DeliveryPorts,
): Promise<MissingRows> {
  const seen = new Set(allItems(content).map(({ id }) => id));
  const stored = new Set([...held.lines.keys(), ...held.words.keys(), ...foreign]);
  return await readMissing([...stored].filter((id) => !seen.has(id)));
}

/** With the merchant that it names itself: one that is looked up costs money and may fail, and neither must embed it again. */
function contentIn(contents: ReceiptContents): ReceiptContent {
  return contentOf(embeddingItems(contents, knownMerchant(contents.metadata), 'realtime'));
}

function isEmpty({ items }: ReceiptContent): boolean {
  return items.lines.length + items.words.length === 0;
}

/**
 * What is refused as far as the record tells: by OpenAI, or by a store that the stack has. It names the first few of a run; where there were
 * more, a row that says FAILED is one of them.
 */
function refusedBefore(
  { runs }: EmbeddedReceipt,
  content: ReceiptContent,
  stores: readonly string[],
): Map<string, RefusedEntity> {
  const named = runs.flatMap(({ refused }) => refused);
  const refused = byId(named.filter(({ by }) => by === 'openai' || stores.includes(by)));
  if (runs.every((run) => run.refused_count <= run.refused.length)) return refused;
  for (const { id, entity } of allItems(content)) {
    if (entity.embedding_status !== 'FAILED' || refused.has(id)) continue;
    refused.set(id, namedRefusal('openai', { id, reason: 'it was refused before' }));
  }
  return refused;
}

function byId(refused: readonly RefusedEntity[]): Map<string, RefusedEntity> {
  return new Map(refused.map((one) => [one.id, one] as const));
}
