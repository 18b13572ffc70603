import OpenAI from 'openai';
import type { BatchStatus } from 'receipt-embedding/entities/batch';
import type { SyntheticReceipt } from 'receipts-cli/synthetic_receipts/synthetic_receipts';
import type { BatchStack, EntityRow } from './batch_stack.ts';
import { smallReceipts } from './stack_receipts.ts';

export const OLD_BATCH_ID = '0b7e3f3a-1111-4222-8333-444455556666';

export interface OldBatch {
  readonly receipts: readonly SyntheticReceipt[];
  /** Their words, which are PENDING, each without an owner. */
  readonly words: readonly EntityRow[];
  readonly inputFileId: string;
  readonly openaiBatchId: string;
}

/** OpenAI's own client, at the stand-in. */
export function openaiClient({ local }: BatchStack): OpenAI {
  const { apiKey, baseURL = '' } = local.openaiAccess;
  return new OpenAI({ apiKey, baseURL });
}

/**
 * Two receipts whose words an older system has submitted: its record has the type EMBEDDING and the receipts, and there is no
 * file of ours; at OpenAI lie requests with prompts of its own, for vectors as numbers.
 */
export async function submittedOfOld(
  stack: BatchStack,
  status: BatchStatus | 'CANCELING' = 'PENDING',
): Promise<OldBatch> {
  const openai = openaiClient(stack);
  const { model, dimensions } = stack.local.embeddingModel;
  const receipts = smallReceipts(2).map((receipt) => ({ ...receipt, lines: [] }));
  await stack.load(receipts);
  for (const word of await stack.entities()) {
    if (word.status !== 'NONE') continue;
    await stack.update(word, {
      embedding_status: 'PENDING',
      GSI1PK: 'EMBEDDING_STATUS#PENDING',
    });
  }
  const words = (await stack.entities()).filter((word) => word.status === 'PENDING');
  const requests = words.map(({ id, text }) =>
    JSON.stringify({
      custom_id: id,
      method: 'POST',
      url: '/v1/embeddings',
      body: { model, dimensions, input: `<WORD>${text}</WORD>` },
    }),
  );
  const file = new File([`${requests.join('\n')}\n`], 'words.jsonl');
  const { id: inputFileId } = await openai.files.create({ file, purpose: 'batch' });
  const { id: openaiBatchId } = await openai.batches.create({
    input_file_id: inputFileId,
    endpoint: '/v1/embeddings',
    completion_window: '24h',
  });
  await stack.put({
    PK: `BATCH#${OLD_BATCH_ID}`,
    SK: 'STATUS',
    TYPE: 'BATCH_SUMMARY',
    GSI1PK: `STATUS#${status}`,
    GSI1SK: `BATCH_TYPE#EMBEDDING#BATCH_ID#${OLD_BATCH_ID}`,
    batch_type: 'EMBEDDING',
    openai_batch_id: openaiBatchId,
    submitted_at: '2025-03-01T10:00:00.123456',
    status,
    result_file_id: 'N/A',
    receipt_refs: receipts.map(({ receipt: { image_id, receipt_id } }) => ({
      image_id,
      receipt_id,
    })),
  });
  return { receipts, words, inputFileId, openaiBatchId };
}
