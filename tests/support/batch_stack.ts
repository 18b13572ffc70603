import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import {
  type BatchSummary,
  batchSummaryCodec,
  batchSummaryKey,
  type EmbeddingBatchResult,
  embeddingBatchResultCodec,
} from 'receipt-embedding/entities/batch';
import type { Row } from 'receipt-embedding/entities/keys';
import { BATCH_FILES } from 'receipt-embedding/object_keys';
import type { BatchScript } from 'vendor-stand-ins/openai/batch_script';
import type { BatchView } from 'vendor-stand-ins/openai/batch_script';
import type { FaultRule as PineconeFaultRule } from 'vendor-stand-ins/pinecone/pinecone_stand_in';
import { z } from 'zod';
import type {
  PollSummary,
  SubmitSummary,
} from '../../simple_lambdas/summarize_execution/summary_schemas.ts';
import { pineconeContents } from './stored_vectors.ts';
import { summaryOf, TestStack } from './test_stack.ts';

/** The functions of the batch path, by their deployed names. */
export const BATCH_FUNCTIONS = {
  plan: 'embedding-plan-batches-lambda-dev',
  submit: 'embedding-submit-batch-lambda-dev',
  status: 'embedding-get-batch-status-lambda-dev',
  download: 'embedding-download-batch-results-lambda-dev',
  log: 'embedding-log-batch-results-lambda-dev',
  upsert: 'embedding-upsert-to-pinecone-lambda-dev',
  upsertToS3Vectors: 'embedding-upsert-to-s3-vectors-lambda-dev',
  write: 'embedding-write-results-to-dynamo-lambda-dev',
  complete: 'embedding-mark-batch-complete-lambda-dev',
  release: 'embedding-release-batch-lambda-dev',
} as const;

/** A line or word as its row is now. */
export interface EntityRow extends Row {
  /** The vector id. */
  readonly id: string;
  readonly text: string;
  readonly status: string;
  /** The batch that has claimed it. */
  readonly owner: string | undefined;
}

/** A local stack whose tests are about batches: a test begins with `reset`, which empties the batch bucket too. */
export class BatchStack extends TestStack {
  override async reset(): Promise<void> {
    await super.reset();
    const { aws, batchBucket: Bucket } = this.local;
    for (const Key of aws.s3.listKeys(Bucket, '')) {
      await aws.clients.s3.send(new DeleteObjectCommand({ Bucket, Key }));
    }
  }

  /** Says what becomes of batches at OpenAI, until the next reset. @returns ends it sooner. */
  script(script: BatchScript, which?: (batch: BatchView) => boolean): () => void {
    return this.untilReset(this.local.openai.batches.script(script, which), false);
  }

  /** A fault of Pinecone's, until the next reset. @returns ends it sooner. */
  breakPinecone(rule: PineconeFaultRule): () => void {
    return this.untilReset(this.local.pinecone.fault(rule));
  }

  /** Submits what is to do. @throws when the execution ended before its summary. */
  async submit(input: Readonly<Record<string, unknown>> = {}): Promise<SubmitSummary> {
    return summaryOf(await this.local.execute(input, 'batchSubmit')) as SubmitSummary;
  }

  /** Polls once. @throws when the execution ended before its summary. */
  async poll(): Promise<PollSummary> {
    return summaryOf(await this.local.execute({}, 'batchPoll')) as PollSummary;
  }

  /** Polls until no batch is running, at most so many times. */
  async pollUntilDone(most = 5): Promise<readonly PollSummary[]> {
    const polls: PollSummary[] = [];
    while (polls.length < most) {
      const polled = await this.poll();
      polls.push(polled);
      if (polled.running === 0 && polled.failed === 0 && !polled.more) return polls;
    }
    throw new Error(`not done after ${most} polls: ${JSON.stringify(polls.at(-1))}`);
  }

  /** Every batch, in the order of their submission. */
  async batches(): Promise<BatchSummary[]> {
    const rows = await this.rowsOfType('BATCH_SUMMARY');
    return rows
      .map((row) => z.decode(batchSummaryCodec, row as never))
      .sort((a, b) => Date.parse(a.submitted_at) - Date.parse(b.submitted_at));
  }

  /** The only batch that there is. */
  async batch(): Promise<BatchSummary> {
    const [batch, ...more] = await this.batches();
    if (batch === undefined || more.length > 0) throw new Error('there is not one batch');
    return batch;
  }

  /** Sets attributes of a batch, as other programs, or the passing of time, do. */
  async updateBatch(batchId: string, attributes: Readonly<Record<string, unknown>>): Promise<void> {
    await this.update(batchSummaryKey(batchId), attributes);
  }

  /** Every line and word. */
  async entities(): Promise<EntityRow[]> {
    return (await this.rows()).filter(isEntity).map((row) => ({
      ...row,
      id: `${row.PK}#${row.SK}`,
      text: row['text'] as string,
      status: (row['embedding_status'] ?? 'NONE') as string,
      owner: row['embedding_batch_id'] as string | undefined,
    }));
  }

  /** How many lines and words have which status. */
  async statuses(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { status } of await this.entities()) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  /** What is recorded of lines and words, of one batch or of all. */
  async results(batchId?: string): Promise<EmbeddingBatchResult[]> {
    const rows = await this.rowsOfType('EMBEDDING_BATCH_RESULT');
    return rows
      .map((row) => z.decode(embeddingBatchResultCodec, row as never))
      .filter(({ batch_id }) => batchId === undefined || batch_id === batchId);
  }

  /** All vectors in Pinecone. */
  vectors(): ReturnType<typeof pineconeContents> {
    return pineconeContents(this.local.pineconeAccess);
  }

  /** What a batch asks OpenAI for, in this order: inputs by custom_id. An older system's batch may have no inputs here. */
  requests(batchId: string): ReadonlyMap<string, string | undefined> {
    const { aws, batchBucket } = this.local;
    const lines = (
      aws.s3.getObject(batchBucket, BATCH_FILES.requests(batchId))?.body.toString() ?? ''
    )
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { custom_id: string; body?: { input: string } });
    return new Map(lines.map(({ custom_id, body }) => [custom_id, body?.input]));
  }

  /** The batches at OpenAI that were created for one of ours. */
  openaiBatches(batchId: string): readonly BatchView[] {
    return this.local.openai.batches
      .list()
      .filter(({ metadata }) => metadata?.['batch_id'] === batchId);
  }
}

function isEntity(row: Row): boolean {
  return row['TYPE'] === 'RECEIPT_LINE' || row['TYPE'] === 'RECEIPT_WORD';
}
