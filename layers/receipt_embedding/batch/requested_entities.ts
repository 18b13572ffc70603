import type OpenAI from 'openai';
import type { BatchSummary } from '../entities/batch_summary.ts';
import { linePath, wordPath, type ReceiptIdentity } from '../entities/keys.ts';
import type { ReceiptLine } from '../entities/receipt_line.ts';
import type { ReceiptWord } from '../entities/receipt_word.ts';
import { ResultsExpired } from '../errors.ts';
import type { BatchStorage } from './batch_storage.ts';
import { downloadLines } from './download_results.ts';
import { isOurs } from './batch_owner.ts';
import { isKnownId } from './openai_batches.ts';
import { isOfType, type RequestedEntities } from './result_collector.ts';
import { requestedId } from './planned_entity.ts';

export interface RequestedEntitiesPorts {
  readonly storage: BatchStorage;
  readonly openai: OpenAI;
  readonly readText: (
    receipt: ReceiptIdentity,
  ) => Promise<{ readonly lines: readonly ReceiptLine[]; readonly words: readonly ReceiptWord[] }>;
}

/**
 * What a batch has asked for. Ours says so in its files, which also know the texts. An older system's left its requests at OpenAI only; where
 * they are gone from there too, what stands is what its receipts still have PENDING, and what its results are of.
 */
export async function readRequestedEntities(
  batch: BatchSummary,
  inputFileId: string | null,
  { storage, openai, readText }: RequestedEntitiesPorts,
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
  }
  return { texts: withoutTexts(await pendingIds(batch, readText)), open: true };
}

async function ownTexts(
  batchId: string,
  storage: BatchStorage,
): Promise<Map<string, string | undefined>> {
  const planned = new Map<string, string>();
  for await (const { custom_id, text } of storage.readPlan(batchId)) planned.set(custom_id, text);
  const texts = new Map<string, string | undefined>();
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
