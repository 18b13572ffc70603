import type OpenAI from 'openai';
import { inputHash } from '../delivery/receipt_content.ts';
import type { EmbeddingModel } from '../embeddings/embedder.ts';
import { type BatchSummary, isOurs } from '../entities/batch.ts';
import { linePath, parsePath, type ReceiptIdentity, rowKey, wordPath } from '../entities/keys.ts';
import type { ReceiptLine, ReceiptWord } from '../entities/line_and_word.ts';
import { ResultsExpired } from '../errors.ts';
import { iterateSettled } from '../settled_map.ts';
import { type ClaimedText, claimEntities } from '../table/embedding_claims.ts';
import type { Table } from '../table/table.ts';
import { REQUESTS_AT_ONCE, STATEMENTS_A_REQUEST } from '../table/update_statements.ts';
import { type BatchStorage, type PlannedEntity, requestedId, requestLine } from './batch_files.ts';
import { isOfType, type RequestedEntities } from './collect_results.ts';
import { downloadLines } from './download_results.ts';
import { isKnownId } from './openai_batches.ts';

/** A request's claims at a time; twice as many are read as are claimed at once. */
const CLAIMING = { atOnce: REQUESTS_AT_ONCE, ahead: 2 * REQUESTS_AT_ONCE } as const;

/**
 * Claims the lines or words that a batch is planned to embed, and writes the requests for those that it could claim. Another batch,
 * or the other path, keeps the rest.
 *
 * @returns how many it has claimed, those of an earlier try included.
 * @example
 * ```ts
 * await claimPlannedEntities(table, batchId, { model: 'text-embedding-3-small', dimensions: 1_536 }, storage); // 50000
 * ```
 */
export async function claimPlannedEntities(
  table: Table,
  batchId: string,
  model: EmbeddingModel,
  storage: BatchStorage,
): Promise<number> {
  return await storage.writeRequests(batchId, requests(table, batchId, model, storage));
}

async function* requests(
  table: Table,
  batchId: string,
  model: EmbeddingModel,
  storage: BatchStorage,
): AsyncGenerator<string> {
  const claimed = iterateSettled(
    claimable(storage.readPlan(batchId)),
    async (planned) => {
      const isClaimed = await claimEntities(table, planned, batchId);
      return planned.filter((_, at) => isClaimed[at]);
    },
    CLAIMING,
  );
  for await (const entities of claimed) {
    for (const { entity } of entities) yield requestLine(entity, model);
  }
}

interface Claimable extends ClaimedText {
  readonly entity: PlannedEntity;
}

/** What is planned, as many at a time as are claimed by one request. */
async function* claimable(plan: AsyncIterable<PlannedEntity>): AsyncGenerator<Claimable[]> {
  let chunk: Claimable[] = [];
  for await (const entity of plan) {
    const { custom_id, text, status_missing } = entity;
    const image = parsePath(custom_id)?.image_id;
    if (image === undefined) continue;
    chunk.push({ ...rowKey(image, custom_id), text, status_missing, entity });
    if (chunk.length < STATEMENTS_A_REQUEST) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

interface RequestedEntitiesPorts {
  readonly storage: BatchStorage;
  readonly openai: OpenAI;
  /** @throws InvalidConfiguration when OpenAI's word that it has no such file proves nothing. */
  readonly believeMissing: (what: string) => Promise<void>;
  readonly readText: (
    receipt: ReceiptIdentity,
  ) => Promise<{ readonly lines: readonly ReceiptLine[]; readonly words: readonly ReceiptWord[] }>;
}

/**
 * What a batch has asked for. Ours says so in its files, which also know the texts. An older system's are at OpenAI only; where
 * OpenAI does not have them any more, they are what its receipts still have PENDING, and what its results are of.
 *
 * @throws UpstreamUnavailable and the like when OpenAI can't be asked: then nothing is guessed.
 * @example
 * ```ts
 * await readRequestedEntities(batch, null, { storage, openai, believeMissing, readText });
 * // { texts: Map { 'IMAGE#3f52…#RECEIPT#00001#LINE#00001' → { text: 'MILK 3.99', input_hash: '5d41…' } }, open: false }
 * ```
 */
export async function readRequestedEntities(
  batch: BatchSummary,
  inputFileId: string | null,
  { storage, openai, believeMissing, readText }: RequestedEntitiesPorts,
): Promise<RequestedEntities> {
  if (isOurs(batch)) return { texts: await ownTexts(batch.batch_id, storage), open: false };
  try {
    if (isKnownId(inputFileId)) {
      const ids: string[] = [];
      for await (const line of downloadLines(openai, inputFileId)) {
        const id = requestedId(line);
        if (id !== undefined && isOfType(id, batch.batch_type)) ids.push(id);
      }
      return { texts: withoutTexts(ids), open: false };
    }
  } catch (error) {
    if (!(error instanceof ResultsExpired)) throw error;
    await believeMissing('input file of it');
  }
  return { texts: withoutTexts(await pendingIds(batch, readText)), open: true };
}

async function ownTexts(
  batchId: string,
  storage: BatchStorage,
): Promise<RequestedEntities['texts']> {
  const planned: RequestedEntities['texts'] = new Map();
  for await (const { custom_id, text, input } of storage.readPlan(batchId)) {
    planned.set(custom_id, { text, input_hash: inputHash(input) });
  }
  const texts: RequestedEntities['texts'] = new Map();
  for await (const id of storage.requestedIds(batchId)) texts.set(id, planned.get(id));
  return texts;
}

/** In the order of their keys, which brings receipts together. */
function withoutTexts(ids: readonly string[]): Map<string, undefined> {
  return new Map([...ids].sort().map((id) => [id, undefined]));
}

async function pendingIds(
  { batch_type, receipt_refs }: BatchSummary,
  readText: RequestedEntitiesPorts['readText'],
): Promise<string[]> {
  const ids: string[] = [];
  for (const receipt of receipt_refs) {
    const { lines, words } = await readText(receipt);
    const isPending = ({ embedding_status }: ReceiptLine | ReceiptWord): boolean =>
      embedding_status === 'PENDING';
    ids.push(
      ...(batch_type === 'LINE_EMBEDDING'
        ? lines.filter(isPending).map(linePath)
        : words.filter(isPending).map(wordPath)),
    );
  }
  return ids;
}
