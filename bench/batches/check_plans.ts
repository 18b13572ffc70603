import { tmpdir } from 'node:os';
import { BatchStorage, requestLine } from 'receipt-embedding/batches/batch_files';
import { OPENAI_BATCH_LIMITS } from 'receipt-embedding/batches/plan_batches';
import type { LocalStack } from 'receipts-cli/local_stack';
import type { ListedBatch } from '../../simple_lambdas/plan_batches/handler.ts';
import type { Checks } from '../checks.ts';
import { print } from '../print.ts';

/** Reads every plan back: each within every limit, no receipt in two of one type, nothing twice, and nothing left out. */
export async function checkPlans(
  { aws, batchBucket: bucket, embeddingModel }: LocalStack,
  batches: readonly ListedBatch[],
  wanted: { readonly tokens: number; readonly entities: number },
  checks: Checks,
): Promise<void> {
  const storage = new BatchStorage({ s3: aws.clients.s3, bucket, temporaryFolder: tmpdir() });
  const most = { requests: 0, bytes: 0, tokens: 0 };
  const all = new Set<string>();
  const receiptsOf: Record<ListedBatch['batch_type'], Map<string, string>> = {
    LINE_EMBEDDING: new Map(),
    WORD_EMBEDDING: new Map(),
  };
  let split = 0;
  for (const { batch_id, batch_type } of batches) {
    const batch = { requests: 0, bytes: 0, tokens: 0 };
    for await (const entity of storage.readPlan(batch_id)) {
      batch.requests++;
      batch.bytes += Buffer.byteLength(requestLine(entity, embeddingModel)) + 1;
      batch.tokens += Buffer.byteLength(entity.input);
      all.add(entity.custom_id);
      const receipt = entity.custom_id.slice(0, entity.custom_id.indexOf('#LINE#'));
      const first = receiptsOf[batch_type].get(receipt);
      if (first === undefined) receiptsOf[batch_type].set(receipt, batch_id);
      else if (first !== batch_id) split++;
    }
    for (const what of ['requests', 'bytes', 'tokens'] as const) {
      most[what] = Math.max(most[what], batch[what]);
    }
  }
  const limits = { ...OPENAI_BATCH_LIMITS, tokens: wanted.tokens };
  for (const what of ['requests', 'bytes', 'tokens'] as const) {
    print(`  largest batch: ${most[what]} of ${limits[what]} ${what}`);
    checks.atMost(`the ${what} of a batch`, most[what], limits[what]);
  }
  checks.equal('different lines and words in the plans', all.size, wanted.entities);
  checks.equal('lines and words of receipts that are split', split, 0);
}
